"""Pages for people: values in, text out. Nothing is read or written here but the templates beside this file."""
