"""A compressed scrape says what a plain one says, to decoders of other makers."""
import shutil
import subprocess
import urllib.request
import zlib

import pytest
from exposition import OPENMETRICS, TEXT
from program import BINARY, CONFIG, Program, free_ports


@pytest.fixture(scope="module")
def program():
    """Without times, so that two scrapes of a resting program are the same bytes."""
    grpc, http, prom, own = free_ports(4)
    config = CONFIG.format(grpc=grpc, http=http, prom=prom, own=own, flush="1s", expiration="5m", timestamps="false", drain="0s")
    config = config.replace("- {name: http.route}", "- {name: http.route}\n      - {name: user.id}")
    with Program(config=config, ports=(grpc, http, prom, own)) as running:
        subprocess.run([BINARY, "generate", "--endpoint", f"127.0.0.1:{running.grpc}", "--seed", "7", "--count", "60000",
                        "--cardinality", "60"], check=True, capture_output=True, timeout=180)
        yield running


def scrape(program, accept, encoding):
    request = urllib.request.Request(f"http://127.0.0.1:{program.prom}/metrics",
                                     headers={"Accept": accept, "Accept-Encoding": encoding})
    with urllib.request.urlopen(request, timeout=60) as response:
        assert response.headers.get("Content-Encoding", "identity") == encoding
        return response.read()


@pytest.mark.parametrize("accept", [TEXT, OPENMETRICS])
def test_zlib_and_gzip_read_what_a_plain_scrape_says(program, accept):
    plain = scrape(program, accept, "identity")
    assert plain.count(b"\n") > 10_000, "many blocks"
    packed = scrape(program, accept, "gzip")
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert decoder.decompress(packed) + decoder.flush() == plain
    assert decoder.eof and not decoder.unused_data
    assert len(packed) * 20 < len(plain)
    if shutil.which("gzip"):
        assert subprocess.run(["gzip", "-dc"], input=packed, capture_output=True, check=True).stdout == plain
