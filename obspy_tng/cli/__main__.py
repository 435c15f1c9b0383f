"""``python -m obspy_tng.cli``, which ``torchrun -m`` starts."""

from obspy_tng.cli import main

main()
