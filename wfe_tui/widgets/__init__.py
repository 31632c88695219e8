"""The parts that screens are made of; each draws what it is given and tells by messages what the operator did.

Around what a screen shows: `top_line`, `run_line`, `pause_lines`, `filter_bar`, `time_bar`, `counters`. A list:
`table`, its `columns`, and `entry_columns`. An entry: `detail` and `entry_parts`, its `timeline`, its data as a
`data_tree`. An error: `trace`, and what is `known` of its group. A run: `run_parts`. Two attempts: `comparison`. What
all draw alike: `states`, `verdicts`, `plots`, and what is too long, `cut`.
"""
