"""What git runs on a push: two small sh scripts that hand git's words to the API and print its answer.

No Python here at run time: an interpreter's start would be paid by every push.
"""
