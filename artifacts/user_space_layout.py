"""Where the parts of the space `user` lie inside its folder, beside the table of its items."""

USER_SPACE = "user"
"""Name of the space; its item table is asymmetric (docs/adr/0009)."""

USERS_FOLDER = "users"
"""An `artifacts.users.UserTable`."""

FOLD_IN_FOLDER = "fold_in"
"""An `artifacts.als_terms.AlsTerms`."""
