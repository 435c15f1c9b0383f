"""Readers and writers for strong-motion text files, as ObsPy waveform plug-ins (``obspy.read`` finds them).

``dyna`` (AFAD-TADAS, ESM, ITACA), ``nsmn`` (AFAD before 2019), ``at2`` (PEER/NGA, also written), ``matlab``
(EQ ``.mat``, not a plug-in) and ``files`` (folders, globs and zip archives, member by member). ObsPy imports
this package for every file it does not recognise, so nothing heavy may be imported here.
"""
