"""For the web application only: the pages, a module for each part of them."""
