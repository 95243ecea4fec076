"""Who may do what: every operation of the API, asked by every kind of principal, compared with what the requirements decide."""
