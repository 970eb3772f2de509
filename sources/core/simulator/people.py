"""Invented people, firms and sentences. Every e-mail and profile address is in a reserved example domain."""

from itertools import product

_FIRST_NAMES = """
    Ada Bruno Chiara Dario Elif Femi Greta Hugo Ines Jonas Kaia Luca Mira Nils Olga
    Pavel Quinn Rosa Sven Tara Umar Vera Wanda Xenia Yusuf Zoë Anaïs Björn Chloé Łukasz
"""
_LAST_NAMES = """
    Abara Brandvold Castellane Dunmore Eberling Fairweather Grünfeld Haverford Ilincic Jorstad
    Kowalczyn Lindqvar Mbeki-Stone Nørlund Okonjo O'Dell Petrescu Quillan Rasmund Søndermann
    Tavares Ueland Vašíček Wexmoor Ybarra
"""
_PLAIN = str.maketrans("ëïöéŁłüøšíč", "eioeLluosic", "'-")

# What trips a loader up: CJK, right-to-left, Indic, combining marks (not normalised), emoji, odd blanks.
_ELSEWHERE = (
    ("架空 花子", "kaku.hanako"),
    ("示例·小明", "shili.xiaoming"),
    ("가상 인물", "gasang.inmul"),
    ("شخص مثال", "shakhs.mithal"),
    ("דוגמה לוי", "dugma.levi"),
    ("उदाहरण देवी", "udaharan.devi"),
    ("Примера Образцова", "primera.obraztsova"),
    ("Zoe\u0308 A\u030angstro\u0308mson", "zoe.angstromson"),
    ("Nova 🚀 Sample", "nova.sample"),
    ("👩🏽‍💻 Demo Dev", "demo.dev"),
    ("Thin\u2009Space\u00a0Person", "thin.space"),
    ('Quote "Q" Backslash\\', "quote.backslash"),
)

_latin = [
    (f"{f} {n}", f"{f}.{n}".translate(_PLAIN).lower())
    for f, n in product(_FIRST_NAMES.split(), _LAST_NAMES.split())
]
PEOPLE: tuple[tuple[str, str], ...] = (*_latin, *_ELSEWHERE * 12)
"""(display name, ASCII handle) pairs; about one in six is awkward."""

MAIL_DOMAINS = ("example.com", "example.org", "example.net", "mail.example.com")
PROFILE_PREFIX = "https://linkedin.example.com/in/"

KNOWN = 56


def acquaintance(n: int) -> tuple[str, str, str]:
    """Somebody whom the demo's accounts of several vendors know.

    Args:
        n: which of the `KNOWN`.

    Returns:
        Name, e-mail address and phone number.
    """
    name, handle = _latin[n * 13 % len(_latin)]
    return name, f"{handle}@known.example.com", f"+1212555{n:04d}"


_ROLES = (
    "Founder",
    "Head of Growth",
    "VP Sales, EMEA",
    "RevOps lead",
    "Fractional CMO",
    "Account executive",
    "Product marketer",
    "Agency owner",
    "Consultant & coach",
    "Recruiter",
)
FIRMS = (
    "Northwind Samples",
    "Acme Placeholder GmbH",
    "Lorem & Daughters",
    "Fictive Cloud",
    "Example Robotics",
    "サンプル株式会社",
    "Société Témoin",
    "Demo Freight Co.",
    "Imaginary Foods",
    "Blank Slate Studio",
)
HEADLINES: tuple[str, ...] = (
    *(f"{role} at {firm} | talks about pipelines" for role, firm in product(_ROLES, FIRMS)),
    *("Building in public 🚀🚀 | ex-nothing", "営業部長 ・ 架空商事", "مدير المبيعات في شركة مثال", "") * 5,
)
KEYWORDS = ("GUIDE", "PLAYBOOK", "AUDIT", "テンプレ", "CHECKLIST", "demo", "🎁")
FORMS = ("Guide download", "Audit request", "Webinar sign-up", "フォーム A", "")
TAGS = ("warm", "newsletter", "event-2026", "très chaud", "follow up", "ICP ✅")
CONTENT = (
    "GUIDE please, this is exactly what we need",
    "Could you send it over? Thanks!",
    "Interessant, bitte schicken: GUIDE",
    "送ってください 🙏",
    "أرسل لي الدليل من فضلك",
    "Two lines,\nthe second with a\ttab",
    "",
    'He said: "GUIDE" \\o/',
)
POST_TEXTS = (
    "We rebuilt our outbound from nothing. Seven lessons, the third one hurt.",
    "Comment GUIDE and the checklist is yours 👇",
    "Nobody reads a 40-page report.\n\nSo we made a one-page version.",
    "新しいテンプレートを公開しました。",
    "Unpopular: your CRM is a diary, not a database.",
)
THEMES = ("Founder stories", "How-to", "Contrarian", "Kundenstimmen")
TITLES = (
    "Outbound checklist",
    "Pricing audit",
    "The one-page report",
    "採用ガイド",
    "Cold e-mail teardown 🔍",
)
