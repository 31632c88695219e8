"""A window that does not open."""


def open_window(title):
    print("opening", title


open_window("main")
