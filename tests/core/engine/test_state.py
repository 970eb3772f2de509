"""What is remembered of resources between runs."""

from sources.core.engine.state import BY_ACCOUNT, COMPARED, MARK, forget


def test_all_that_is_remembered_of_an_account_its_parts_and_paths_is_forgotten_and_nothing_else() -> None:
    keys = ("gone", "gone/part", "gone/usage", "stays", "stays/part", "/me")
    remembered = {name: dict.fromkeys(keys, "x") for name in BY_ACCOUNT} | {
        COMPARED: {"gone": 1},
        MARK: "gone",
    }
    forget(remembered, lambda account: account == "gone")
    assert {name: set(remembered[name]) for name in BY_ACCOUNT} == {
        name: {"stays", "stays/part", "/me"} for name in BY_ACCOUNT
    }
    assert (remembered[COMPARED], remembered[MARK]) == ({"gone": 1}, "gone")


def test_what_a_shard_asks_for_without_an_account_is_remembered_though_another_reads_such_lists() -> None:
    remembered = {name: {"": 1, "/me": 1} for name in BY_ACCOUNT}
    forget(remembered, lambda account: True)
    assert {name for name, kept in remembered.items() if not kept} == {"units"}
