"""Tables of notifications: whom mails go to and speak of, and the mails themselves."""
