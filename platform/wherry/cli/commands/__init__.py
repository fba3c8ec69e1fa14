"""One file a topic; ``names.py`` says which function is which command. A file is imported when its command runs."""
