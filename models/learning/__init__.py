"""What is learnt from data, as pure functions: arrays in, arrays out; no tables, no store, no clock, no event loop."""
