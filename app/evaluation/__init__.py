"""How well the learnt parts do on recorded data: what `iotsphere evaluate` prints."""
