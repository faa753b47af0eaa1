"""Pure cores: what a plate says, which vehicle this is, whether its procedure lets it pass. No I/O, no clock."""
