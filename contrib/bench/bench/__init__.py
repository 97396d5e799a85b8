"""The parts of contrib/bench/run: two hosts, the systems that are compared, the load, the measure, the cases."""
