"""For the web application only: the routes of the API, a module for each part of it."""
