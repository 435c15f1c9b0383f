"""What type checkers see of the package: the public names, which `__init__.py` imports on first use."""

from obspy_tng.adjustment import retarget as retarget
from obspy_tng.corpus import Corpus as Corpus
from obspy_tng.corpus import build_corpus as build_corpus
from obspy_tng.corpus_synthesis import generate_corpus as generate_corpus
from obspy_tng.errors import TNGError as TNGError
from obspy_tng.evaluation.compare import evaluate as evaluate
from obspy_tng.evaluation.report import report as report
from obspy_tng.models import list_models as list_models
from obspy_tng.models import load_model as load_model
from obspy_tng.pool import LatentPool as LatentPool
from obspy_tng.pool import stations as stations
from obspy_tng.pool_build import build_pool as build_pool
from obspy_tng.provenance import inventory as inventory
from obspy_tng.provenance import show_versions as show_versions
from obspy_tng.provenance import write as write
from obspy_tng.record import Record as Record
from obspy_tng.record import read_records as read_records
from obspy_tng.record import records as records
from obspy_tng.simulation import simulate as simulate
from obspy_tng.site.f0 import pick_f0 as pick_f0
from obspy_tng.site.hvsr import hvsr as hvsr
from obspy_tng.site.rejection import reject as reject
from obspy_tng.site.sesame import sesame as sesame
from obspy_tng.synthesis import generate as generate
from obspy_tng.training import train as train

__version__: str
