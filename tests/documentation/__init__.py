"""For tests of README.md and docs/: what they show is run; pages made of the code are current."""
