//! What a specification keeps, from the command line to a file and back.
