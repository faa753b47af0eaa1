"""The law at a gate, pure: the rule table, declarations and their confirmations, verdicts and what they ask."""
