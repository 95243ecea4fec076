"""Single sign-on: a partner's users sign in where their company signs them in, by OpenID Connect (MKT-18)."""
