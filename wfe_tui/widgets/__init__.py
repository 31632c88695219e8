"""The parts that screens are made of; each draws what it is given and tells by messages what the operator did."""
