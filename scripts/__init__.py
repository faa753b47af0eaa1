"""Commands of the checkout; the modules here are what some of them share."""
