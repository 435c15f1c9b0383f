"""Make the sample records of this folder with the project's own simulator.

Run with ``python data_samples/make_samples.py``. The output is deterministic: the same versions of numpy,
scipy and ObsPy write the same bytes. Every file has its truth (f0, layers, magnitude, distance, onsets and
peaks) in ``truth.json``. Stations and events are fictional.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
from obspy import Catalog, Inventory, Stream, Trace, UTCDateTime
from obspy.core import AttribDict
from obspy.core.event import Event, Magnitude, Origin, Pick, ResourceIdentifier, WaveformStreamID
from obspy.core.inventory import Channel, Network, Response, Site, Station
from obspy.geodetics import gps2dist_azimuth

from obspy_tng.simulation import Layer, simulate

FOLDER = Path(__file__).parent
GAL = 0.01  # m/s²
G = 9.80665  # m/s²
ROCK = Layer(0.0, 800.0, 2.2, 0.005)

# code: layers, latitude, longitude, elevation. The same soils serve the single records below.
NETWORK = {
    "SOFT": ((Layer(25.0, 200.0, 1.8, 0.02), ROCK), 38.40, 27.15, 12.0),
    "STIFF": ((Layer(15.0, 360.0, 1.9, 0.02), Layer(0.0, 1500.0, 2.4, 0.005)), 38.46, 27.22, 95.0),
    "TWO": ((Layer(5.0, 150.0, 1.7, 0.02), Layer(75.0, 550.0, 2.0, 0.01), Layer(0.0, 1400.0, 2.4, 0.005)),
            38.35, 27.08, 30.0),
    "ROCK": ((Layer(5.0, 1000.0, 2.3, 0.01), Layer(0.0, 1200.0, 2.4, 0.005)), 38.52, 27.05, 410.0),
}  # fmt: skip
# origin time, latitude, longitude, depth (km), magnitude, stress drop (MPa)
EVENTS = (
    ("2021-03-04T02:11:30.420", 38.60, 27.30, 8.0, 3.6, 6.0),
    ("2021-03-19T17:45:08.130", 38.20, 27.25, 11.5, 4.1, 9.0),
    ("2021-04-02T08:20:55.870", 38.31, 26.80, 7.2, 3.4, 12.0),
    ("2021-05-27T22:02:14.060", 38.75, 27.10, 14.0, 4.4, 7.0),
    ("2021-06-11T13:37:41.990", 38.45, 27.55, 9.1, 3.8, 4.5),
    ("2021-07-30T05:59:03.350", 38.12, 26.95, 10.3, 3.9, 10.0),
    ("2021-09-08T19:16:27.710", 38.58, 26.75, 6.4, 3.5, 8.0),
    ("2021-11-23T11:28:49.240", 38.25, 27.45, 12.8, 4.0, 5.5),
)


def main():
    """Write all samples and truth.json, and print their sizes."""
    truth = {}
    write_dyna(truth)
    write_nsmn(truth)
    write_at2(truth)
    write_matlab(truth)
    write_sac(truth)
    write_network(truth)
    (FOLDER / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    files = sorted(p for p in FOLDER.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc"))
    for path in files:
        print(f"{path.stat().st_size / 1e3:8.1f} kB  {path.relative_to(FOLDER)}")
    print(f"{sum(p.stat().st_size for p in files) / 1e6:8.2f} MB in all")


def record(site, seed, station, network="TK", magnitude=4.6, distance_km=25.0, start="2021-02-14T03:07:11.250"):
    """Return one simulated Stream (E, N, Z in m/s²) of 45 s at a soil of `NETWORK`."""
    layers, latitude, longitude, elevation = NETWORK[site]
    stream = simulate(
        layers, magnitude, distance_km, seed=seed, station=station, network=network, duration_s=45.0,
        coordinates=(latitude, longitude), starttime=UTCDateTime(start),
    )  # fmt: skip
    for trace in stream:
        trace.stats.location = ""
        trace.stats.coordinates.elevation = elevation
        # an accelerogram in cm/s² with six decimals is what the text formats can hold
        trace.data = np.round(trace.data.astype(float) / GAL, 6) * GAL
    return stream


def add_truth(truth, stream, files, **extra):
    """Enter one record in `truth`: one file of all components, or one per component in the order E N Z."""
    known = stream[0].stats.simulation
    peaks = [(trace.stats.channel[-1], float(f"{np.abs(trace.data).max():.6g}")) for trace in stream]
    per_file = [dict(peaks)] if len(files) == 1 else [{component: peak} for component, peak in peaks]
    f0 = known.f0_hz
    entry = {
        "station": stream[0].stats.station, "network": stream[0].stats.network,
        "starttime": str(stream[0].stats.starttime), "sampling_rate_hz": stream[0].stats.sampling_rate,
        "npts": stream[0].stats.npts, "f0_hz": None if np.isnan(f0) else round(f0, 4), "layers": known.layers,
        "magnitude": known.magnitude, "distance_km": round(known.distance_km, 3), "p_s": round(known.p_s, 3),
        "s_s": round(known.s_s, 3),
    }  # fmt: skip
    for name, own in zip(files, per_file, strict=True):
        truth[name] = entry | {"pga_mps2": own} | extra


def write_dyna(truth):
    """Write DYNA 1.2 as AFAD-TADAS and as ESM write it, and a zip of the former as macOS makes it."""
    stream = record("SOFT", 101, "0099")
    names = [f"20210214030714_0099_mp_RawAcc_{c}.asc" for c in "ENU"]
    for name, trace in zip(names, stream, strict=True):
        (FOLDER / name).write_bytes(dyna_text(trace, afad=True).encode("utf-8"))
    add_truth(truth, stream, names, format="DYNA")
    with zipfile.ZipFile(FOLDER / "20210214030714_0099.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        members = {f"GuestUser_RawAcc_0099/{name}": (FOLDER / name).read_bytes() for name in names}
        # Finder adds resource forks that look like records by name only
        fork = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(64)
        members[f"__MACOSX/GuestUser_RawAcc_0099/._{names[0]}"] = fork
        members["readme.txt"] = b"Simulated record, see truth.json.\n"
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2021, 2, 14, 3, 7, 14)), content, zipfile.ZIP_DEFLATED, 9)
    add_truth(truth, stream, ["20210214030714_0099.zip"], format="zip of DYNA")

    stream = record("TWO", 102, "TNG2", network="IT", magnitude=5.0)
    names = []
    for trace, component in zip(stream, "ENZ", strict=True):
        names.append(f"IT.TNG2..HN{component}.D.20210214.030714.C.ACC.ASC")
        (FOLDER / names[-1]).write_bytes(dyna_text(trace, afad=False).encode("utf-8"))
    add_truth(truth, stream, names, format="DYNA")


DYNA_HEADER = """\
EVENT_NAME: {event_name}
EVENT_ID: {event_id}
EVENT_DATE_YYYYMMDD: {event_date}
EVENT_TIME_HHMMSS: {event_time}
EVENT_LATITUDE_DEGREE: {event.latitude_deg:.4f}
EVENT_LONGITUDE_DEGREE: {event.longitude_deg:.4f}
EVENT_DEPTH_KM: {event.depth_km:.2f}
HYPOCENTER_REFERENCE: SIMULATION
MAGNITUDE_W: {event.magnitude:.1f}
MAGNITUDE_W_REFERENCE: SIMULATION
MAGNITUDE_L: 
MAGNITUDE_L_REFERENCE: 
FOCAL_MECHANISM: 
NETWORK: {stats.network}
STATION_CODE: {stats.station}
STATION_NAME: 
STATION_LATITUDE_DEGREE: {stats.coordinates.latitude:.4f}
STATION_LONGITUDE_DEGREE: {stats.coordinates.longitude:.4f}
STATION_ELEVATION_M: {stats.coordinates.elevation:.1f}
LOCATION: {place}
SENSOR_DEPTH_M: 
VS30_M/S: {stats.site.vs30_mps:.0f}
SITE_CLASSIFICATION_EC8: {ec8}
MORPHOLOGIC_CLASSIFICATION: 
EPICENTRAL_DISTANCE_KM: {stats.simulation.distance_km:.2f}
EARTHQUAKE_BACKAZIMUTH_DEGREE: 
DATE_TIME_FIRST_SAMPLE_YYYYMMDD_HHMMSS: {first_sample}
DATE_TIME_FIRST_SAMPLE_PRECISION: milliseconds
SAMPLING_INTERVAL_S: {delta}
NDATA: {stats.npts}
DURATION_S: {duration}
STREAM: {stats.channel}
UNITS: cm/s^2
INSTRUMENT: sensor = SIMULATION | digitizer = 
INSTRUMENT_ANALOG/DIGITAL: 
INSTRUMENTAL_FREQUENCY_HZ: 
INSTRUMENTAL_DAMPING: 
FULL_SCALE_G: 
N_BIT_DIGITAL_CONVERTER: 
PGA_CM/S^2: {pga:.6f}
TIME_PGA_S: {pga_time}
BASELINE_CORRECTION: BASELINE REMOVED
FILTER_TYPE: BUTTERWORTH
FILTER_ORDER: {filter_order}
LOW_CUT_FREQUENCY_HZ: {low_cut}
HIGH_CUT_FREQUENCY_HZ: 
LATE/NORMAL_TRIGGERED: {trigger}
DATABASE_VERSION: 
HEADER_FORMAT: DYNA 1.2
DATA_TYPE: {data_type}
PROCESSING: simulated by obspy-tng
DATA_TIMESTAMP_YYYYMMDD_HHMMSS: 
DATA_LICENSE: MIT
DATA_CITATION: obspy-tng data_samples
DATA_CREATOR: obspy-tng
ORIGINAL_DATA_MEDIATOR_CITATION: 
ORIGINAL_DATA_MEDIATOR: 
ORIGINAL_DATA_CREATOR_CITATION: 
ORIGINAL_DATA_CREATOR: 
USER1: 
USER2: 
USER3: 
USER4: 
USER5: 
"""  # noqa: W291 (empty values keep the blank after the colon)


def dyna_text(trace, afad):
    """Return a DYNA 1.2 file: 64 header lines, then one sample in cm/s² per line."""
    stats, event = trace.stats, trace.stats.event
    gal = trace.data / GAL
    peak = int(np.abs(gal).argmax())
    origin, start = event.origin_time, stats.starttime
    if afad:  # dates with slashes, seven decimals of a second, a place for LOCATION, filter fields left empty
        dialect = {
            "event_name": origin.strftime("%Y%m%d%H%M"), "event_id": "900101",
            "event_date": origin.strftime("%Y/%m/%d"), "event_time": origin.strftime("%H:%M:%S.%f")[:14],
            "place": "Ornek_Ilce_Turkiye", "ec8": "unknown", "delta": f"{stats.delta:g}", "duration": "",
            "first_sample": start.strftime("%Y/%m/%d %H:%M:%S.%f") + "0", "pga_time": "", "filter_order": "",
            "low_cut": "", "trigger": "", "data_type": "Acceleration",
        }  # fmt: skip
    else:
        dialect = {
            "event_name": "SIMULATED", "event_id": "TNG-20210214_0000001",
            "event_date": origin.strftime("%Y%m%d"), "event_time": origin.strftime("%H%M%S"), "place": "",
            "ec8": "", "delta": f"{stats.delta:.6f}", "duration": f"{stats.npts * stats.delta:.3f}",
            "first_sample": start.strftime("%Y%m%d_%H%M%S.%f")[:-3], "pga_time": f"{peak * stats.delta:.6f}",
            "filter_order": "4", "low_cut": "0.050", "trigger": "NT", "data_type": "ACCELERATION",
        }  # fmt: skip
    header = DYNA_HEADER.format(stats=stats, event=event, pga=gal[peak], **dialect)
    return header + "".join(f"{x:.6f}\n" for x in gal)


def write_nsmn(truth):
    """Write the AFAD text format in use until 2018: three columns N E U in gal, Turkish 8-bit, CRLF."""
    stream = record("STIFF", 103, "0098", start="2016-05-09T10:20:30.500")
    east, north, up = (trace.data / GAL for trace in stream)
    stats, event = stream[0].stats, stream[0].stats.event
    peaks = " ".join(f"({n}) {np.abs(x).max():.6f}" for n, x in (("N-S", north), ("E-W", east), ("U-D", up)))
    place = stats.coordinates
    header = {
        "PLACE": "ÖRNEK İLÇE KAYMAKAMLIĞI",
        "EARTHQUAKE DATE": event.origin_time.strftime("%Y/%m/%d %H:%M:%S (GMT)"),
        "EPICENTER COORDINATES": f"{event.latitude_deg:.5f}N-{event.longitude_deg:.5f}E",
        "EARTHQUAKE DEPTH (km)": f"{event.depth_km:.2f}", "EARTHQUAKE MAGNITUDE": f"{event.magnitude:.1f} Mw",
        "STATION ID": stats.station, "STATION COORDINATES": f"{place.latitude:.5f}N-{place.longitude:.5f}E",
        "STATION ALTITUDE (m)": f"{place.elevation:.0f}", "RECORDER TYPE": "SIMULATION",
        "RECORDER SERIAL NO": "0", "RECORD TIME": stats.starttime.strftime("%d/%m/%Y %H:%M:%S.%f (GMT)"),
        "NUMBER OF DATA": f"{stats.npts}", "SAMPLING INTERVAL (sec)": f"{stats.delta:g}",
        "RAW PGA VALUES (gal)": peaks,
    }  # fmt: skip
    lines = ["STRONG GROUND MOTION RECORDS OF TURKIYE", *(f"{k:<24}: {v}" for k, v in header.items())]
    lines += ["Copyright: simulated record, MIT licence", "OBSPY-TNG DATA SAMPLES"]
    lines += ["       N-S          E-W          U-D"]
    lines += [f"{n:12.6f}{e:14.6f}{u:14.6f}" for n, e, u in zip(north, east, up, strict=True)]
    name = f"{event.origin_time.strftime('%Y%m%d%H%M%S')}_0098.txt"
    (FOLDER / name).write_bytes(("\r\n".join(lines) + "\r\n").encode("iso-8859-9"))
    add_truth(truth, stream, [name], format="NSMN")


def write_at2(truth):
    """Write PEER AT2: units of g, five columns; the format has no time, network or coordinates."""
    stream = record("SOFT", 104, "TNG4", network="", magnitude=5.2)
    names = []
    for trace, component in zip(stream, ("090", "360", "UP"), strict=True):
        lines = ["PEER NGA STRONG MOTION DATABASE RECORD"]
        lines += [f"Simulated-01, 2/14/2021, TNG4 Soft Soil, {component}"]
        lines += ["ACCELERATION TIME SERIES IN UNITS OF G"]
        lines += [f"NPTS= {trace.stats.npts:6d}, DT= {trace.stats.delta:7.4f} SEC,"]
        values = [f"{x:15.7E}" for x in trace.data / G]
        lines += ["".join(values[i : i + 5]) for i in range(0, len(values), 5)]
        name = f"RSN99004_SIMULATED_TNG4-{component}.AT2"
        (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="ascii", newline="\n")
        names.append(name)
    # the file holds neither start time nor network
    add_truth(truth, stream, names, format="AT2", starttime=None)


def write_matlab(truth):
    """Write the `EQ.anEQ` structure of the TimesNet-Gen authors: gal, columns N E U, station as a number."""
    stream = record("TWO", 105, "0097", start="2019-08-08T11:24:58.000")
    stats, event = stream[0].stats, stream[0].stats.event
    east, north, up = (trace.data / GAL for trace in stream)
    earthquake = {
        "place": "SIMULATED", "date": "", "epicenter": [event.latitude_deg, event.longitude_deg],
        "depth": np.uint16(round(event.depth_km * 1e3)), "magnitudeval": event.magnitude,
        "magnitudetype": " Mw", "statID": np.uint16(97),
        "statco": [stats.coordinates.latitude, stats.coordinates.longitude],
        "alt": np.uint16(stats.coordinates.elevation), "recordtype": "SIMULATION", "recordno": [],
        "recordtime": "", "numofData": np.uint16(stats.npts), "Accel": np.column_stack([north, east, up]),
        "sampling": stats.delta, "pga": [np.abs(x).max() for x in (north, east, up)],
        "duration": stats.npts * stats.delta, "Rhyp": stats.simulation.hypocentral_km, "F0": "",
        "Vs30": np.uint16(round(stats.site.vs30_mps)), "Ptime": round(stats.simulation.p_s, 2),
        "Stime": round(stats.simulation.s_s, 2),
    }  # fmt: skip
    path = FOLDER / f"{event.origin_time.strftime('%Y%m%d%H%M%S')}_0097.mat"
    scipy.io.savemat(path, {"EQ": {"anEQ": earthquake}}, do_compression=True)
    # scipy writes today's date in the 116 bytes of free text
    content = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, simulated by obspy-tng".ljust(116) + content[116:])
    # the start time is a MATLAB object in the original, which nothing but MATLAB reads
    add_truth(truth, stream, [path.name], format="EQ .mat", starttime=None)


def write_sac(truth):
    """Write SAC in m/s²; KINST "TNG" is how obspy-tng marks that unit."""
    stream = record("STIFF", 106, "TNG6", network="XX")
    names = []
    for trace in stream:
        stats, event = trace.stats, trace.stats.event
        trace.data = trace.data.astype(np.float32)
        stats.sac = AttribDict(
            stla=stats.coordinates.latitude, stlo=stats.coordinates.longitude,
            stel=stats.coordinates.elevation, evla=event.latitude_deg, evlo=event.longitude_deg,
            evdp=event.depth_km, mag=event.magnitude,
            cmpaz={"E": 90.0, "N": 0.0, "Z": 0.0}[stats.channel[-1]],
            cmpinc=0.0 if stats.channel[-1] == "Z" else 90.0, o=event.origin_time - stats.starttime,
            a=stats.simulation.p_s, ka="P", t0=stats.simulation.s_s, kt0="S", kevnm="TNG SYNTHETIC",
            kinst="TNG", lcalda=True,
        )  # fmt: skip
        names.append(f"XX.TNG6..{stats.channel}.SAC")
        trace.write(str(FOLDER / names[-1]), format="SAC")
    add_truth(truth, stream, names, format="SAC")


def write_network(truth):
    """Write the network: MiniSEED counts of a broadband seismometer, StationXML, QuakeML with picks."""
    folder = FOLDER / "network"
    folder.mkdir(exist_ok=True)
    response = seismometer()
    stations = []
    for code, (_, latitude, longitude, elevation) in NETWORK.items():
        where = {"latitude": latitude, "longitude": longitude, "elevation": elevation}
        channels = [
            Channel(f"HH{c}", "", depth=0.0, azimuth=a, dip=d, sample_rate=100.0, response=response, **where)
            for c, a, d in (("E", 90.0, 0.0), ("N", 0.0, 0.0), ("Z", 0.0, -90.0))
        ]
        stations.append(Station(code, channels=channels, site=Site(f"Simulated {code}"), **where))
    created = UTCDateTime(2021, 12, 1)
    inventory = Inventory([Network("XT", stations=stations)], source="obspy-tng", created=created)
    inventory.write(str(folder / "stations.xml"), format="STATIONXML", validate=True)

    catalog = Catalog(resource_id=resource("catalog"))
    for number, event in enumerate(EVENTS):
        stream, picks = Stream(), []
        for order, code in enumerate(NETWORK):
            simulated = network_record(event, code, seed=200 + 10 * number + order)
            name = UTCDateTime(event[0]).strftime("%Y%m%dT%H%M%S")
            # as in a real catalogue, picks are incomplete: ROCK and some events have no S, some records none
            if (number + order) % 5 != 4:
                phases = {"P": "p_s"} if code == "ROCK" or number % 4 == 3 else {"P": "p_s", "S": "s_s"}
                for phase, key in phases.items():
                    onset = simulated[0].stats.starttime + simulated[0].stats.simulation[key]
                    picks.append(pick(f"{name}/{code}/{phase}", onset, code, phase))
            add_truth(truth, simulated, [f"network/{name}.mseed#{code}"], format="MSEED", units="counts")
            stream += counts(simulated, response)
        stream.write(str(folder / f"{name}.mseed"), format="MSEED", encoding="STEIM2", reclen=512)
        catalog.append(quake(name, event, picks))
    catalog.write(str(folder / "events.xml"), format="QUAKEML", validate=True)


def network_record(event, code, seed):
    """Return one simulated Stream at a network station, in place and time of the given event."""
    time, latitude, longitude, depth_km, magnitude, drop_mpa = event
    layers, *place, elevation = NETWORK[code]
    distance_km = gps2dist_azimuth(latitude, longitude, *place)[0] / 1e3
    stream = simulate(
        layers, magnitude, distance_km, seed=seed, station=code, network="XT", duration_s=65.0,
        depth_km=depth_km, coordinates=tuple(place), stress_drop_mpa=drop_mpa, event_scatter=0.5,
        noise_mps2=4e-6,
    )  # fmt: skip
    # The simulator chooses where in the record P comes; shift to the origin time of this event.
    shift = UTCDateTime(time) - stream[0].stats.event.origin_time
    for trace in stream:
        trace.stats.location = ""
        trace.stats.starttime += round(shift, 2)
        trace.stats.coordinates.elevation = elevation
    return stream


def seismometer():
    """Return the response of a 120-s seismometer (754 V s/m) and a digitiser of 2**24 counts in 40 V."""
    zeros = [0j, 0j]
    poles = [-0.03702 + 0.03702j, -0.03702 - 0.03702j, -371.2 + 467.0j, -371.2 - 467.0j]
    s = 2j * np.pi * 1.0
    normalization = float(abs(np.prod(s - np.array(poles)) / np.prod(s - np.array(zeros))))
    return Response.from_paz(
        zeros, poles, stage_gain=754.0 * 2**24 / 40.0, stage_gain_frequency=1.0, input_units="M/S",
        output_units="COUNTS", normalization_frequency=1.0, normalization_factor=normalization,
    )  # fmt: skip


def counts(stream, response):
    """Return acceleration in m/s² as the seismometer records it, int32 counts of velocity."""
    out = Stream()
    for trace in stream:
        npts = trace.stats.npts
        f = np.fft.rfftfreq(2 * npts, trace.stats.delta)
        volts = response.get_evalresp_response_for_frequencies(f, output="ACC")
        spectrum = np.fft.rfft(trace.data.astype(float), 2 * npts) * np.nan_to_num(volts)
        header = {key: trace.stats[key] for key in ("network", "station", "starttime", "sampling_rate")}
        header["channel"] = f"HH{trace.stats.channel[-1]}"
        out.append(Trace(np.rint(np.fft.irfft(spectrum)[:npts]).astype(np.int32), header))
    return out


def pick(name, time, station, phase):
    """Return a manual pick on the vertical (P) or on the east (S)."""
    channel = WaveformStreamID("XT", station, "", "HHZ" if phase == "P" else "HHE")
    time = UTCDateTime(round(time.timestamp, 2))
    out = Pick(resource_id=resource(f"pick/{name}"), time=time, waveform_id=channel, phase_hint=phase)
    out.evaluation_mode = "manual"
    return out


def quake(name, event, picks):
    """Return an ObsPy event with one origin and one magnitude."""
    time, latitude, longitude, depth_km, magnitude, _ = event
    origin = Origin(resource_id=resource(f"origin/{name}"), time=UTCDateTime(time))
    origin.latitude, origin.longitude, origin.depth = latitude, longitude, depth_km * 1e3
    size = Magnitude(resource_id=resource(f"magnitude/{name}"), mag=magnitude, magnitude_type="Mw")
    size.origin_id = origin.resource_id
    out = Event(resource_id=resource(f"event/{name}"), event_type="earthquake")
    out.origins, out.magnitudes = [origin], [size]
    out.picks = picks
    out.preferred_origin_id, out.preferred_magnitude_id = origin.resource_id, size.resource_id
    return out


def resource(name):
    """Return a stable identifier: ObsPy's own are random."""
    return ResourceIdentifier(f"smi:local/obspy-tng/{name}")


if __name__ == "__main__":
    main()
