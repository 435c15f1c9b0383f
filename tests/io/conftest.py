"""Small hand-made records whose content is known by construction."""

import pytest

DYNA_HEADER = {
    "EVENT_NAME": "EXAMPLE",
    "EVENT_ID": "ev-1",
    "EVENT_DATE_YYYYMMDD": "20190728",
    "EVENT_TIME_HHMMSS": "160908",
    "EVENT_LATITUDE_DEGREE": "38.1000",
    "EVENT_LONGITUDE_DEGREE": "23.5400",
    "EVENT_DEPTH_KM": "9.0",
    "MAGNITUDE_W": "",
    "MAGNITUDE_L": "4.6",
    "NETWORK": "HI",
    "STATION_CODE": "ARS1",
    "STATION_LATITUDE_DEGREE": "37.6349",
    "STATION_LONGITUDE_DEGREE": "22.7293",
    "STATION_ELEVATION_M": "34",
    "LOCATION": "00",
    "VS30_M/S": "455.5",
    "DATE_TIME_FIRST_SAMPLE_YYYYMMDD_HHMMSS": "20190728_160919.870",
    "SAMPLING_INTERVAL_S": "0.005000",
    "NDATA": "4",
    "STREAM": "HNN",
    "UNITS": "cm/s^2",
    "PGA_CM/S^2": "3.5",
    "DATA_TYPE": "ACCELERATION",
    "USER5": "",
}


@pytest.fixture
def dyna(tmp_path):
    """Write a four-sample DYNA file; header fields can be replaced, or removed by None."""

    def write(name="record.asc", body="1.0\n-2.0\n3.5\n0.25\n", first_line="", **changes):
        header = {**DYNA_HEADER, **{key.replace("__", "/"): value for key, value in changes.items()}}
        lines = [f"{key}: {value}" for key, value in header.items() if value is not None]
        path = tmp_path / name
        path.write_text(first_line + "\n".join(lines) + "\n" + body)
        return path

    return write


NSMN = (
    "STRONG GROUND MOTION RECORDS OF TURKIYE\r\n"
    "PLACE                   : MU\u011eLA DERINCE BARAJI&#40;KRET-CREST&#41;\r\n"
    "EARTHQUAKE DATE         : 2017/07/20 22:31:09 (GMT)\r\n"
    "EPICENTER COORDINATES   : 36.91980N-27.44350E\r\n"
    "EARTHQUAKE DEPTH (km)   : 19.44\r\n"
    "EARTHQUAKE MAGNITUDE    : 6.5 Mw\r\n"
    "STATION ID              : 205\r\n"
    "STATION COORDINATES     : 37.44170N-27.64600E\r\n"
    "STATION ALTITUDE (m)    : 128\r\n"
    "RECORDER TYPE           : GeoSig gmsplus\r\n"
    "RECORDER SERIAL NO      : 101468\r\n"
    "RECORD TIME             : 07/08/2017 22:30:59.250000 (GMT)\r\n"
    "NUMBER OF DATA          : 3\r\n"
    "SAMPLING INTERVAL (sec) : 0.01\r\n"
    "RAW PGA VALUES (gal)    : (N-S) 7 (E-W) 8 (U-D) 9\r\n"
    "Copyright EARTHQUAKE DEPARTMENT\r\n"
    "DISASTER AND EMERGENCY MANAGEMENT PRESIDENCY\r\n"
    "       N-S          E-W          U-D\r\n"
    "    1.0     2.0     3.0\r\n"
    "   -4.0    -5.0    -6.0\r\n"
    "    7.0     8.0     9.0\r\n"
)


@pytest.fixture
def nsmn(tmp_path):
    """Write a three-sample old AFAD file in the encoding asked for, with pieces of its text replaced."""

    def write(encoding="utf-8", **replacements):
        text = NSMN
        for old, new in replacements.get("replace", ()):
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "20170720223109_4801.txt"
        path.write_bytes(text.encode(encoding))
        return path

    return write
