"""What licensing tells: programmes, offers, trials, subscriptions, rated lines."""
