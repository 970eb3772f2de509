"""The other tools on the same account, set up as their documentation says: programs that `make compare` runs, each in
an environment of its own. Each loads leads and activity into `leadhouse.duckdb` in the folder it is started in."""
