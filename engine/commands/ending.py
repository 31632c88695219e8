"""Ends a process that cannot end by itself."""

import logging
import os
import sys
import threading


def end_if_a_thread_hangs(code: int) -> None:
    """End the process at once, if a thread still hangs in a task that was broken off: Python would wait for it."""
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
