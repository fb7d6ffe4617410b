"""For everyone who uses or stores providers, their secrets, limits and statistics."""
