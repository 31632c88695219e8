"""An example to read and to run: the audit of the Python distributions installed on this machine.

The map: `audit` is the workflow (its entries, tasks and processor), `installed` finds what is installed, `record` reads
the list of files that each installation keeps of itself, `samples` unpacks the small broken distributions in `broken/`,
so that a sound machine shows failures, too. Run it with `wfe run engine.demo.audit:Audit`.
"""
