"""What is true: names, refs, Procfile, releases, formation, config, errors.

Values and rules only. Lives here: frozen dataclasses, grammars, parsers of users' files, the error tree. Does not
live here: any I/O, any clock, any import outside the standard library. Called by every room; calls nobody.
"""
