"""MNIST into the user's cache: whatever mirrors, network and other processes do, only the right files are kept."""

import errno
import gzip
import os
import re
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process, get_context
from pathlib import Path

import numpy as np
import pytest

from minitorch.data import DatasetError, DownloadError, download, encode_idx, load_digits, mnist
from minitorch.data.mnist import FOLDER_VARIABLE, PUBLISHED, cache_folder
from tests.figures.corrupt_idx import passing_for_mnist, small_set, write_set

CONTENTS = small_set()
OTHERS = small_set(seed=1)
LARGEST_FILE = 16 + 12 * 28 * 28


class Mirror(BaseHTTPRequestHandler):
    """Answers /<behaviour>/<file>.gz as the behaviour's name says."""

    def do_GET(self):
        behaviour, name = self.path.strip("/").split("/")
        self.server.asked.append(self.path)
        with suppress(ConnectionError):  # a client that has seen enough hangs up
            getattr(self, behaviour)(name.removesuffix(".gz"))

    def answer(self, body, status=200, announced=None, **headers):
        self.send_response(status)
        for key, value in ({"Content-Length": announced or len(body)} | headers).items():
            self.send_header(key, str(value))
        self.end_headers()
        self.wfile.write(body)

    def good(self, name):
        self.answer(gzip.compress(CONTENTS[name]))

    def uncompressed(self, name):
        self.answer(CONTENTS[name])

    def missing(self, name):
        self.answer(b"", 404)

    def broken(self, name):
        self.answer(b"", 500)

    def web_page(self, name):
        self.answer(b"<html>Please log in to the hotel's network</html>")

    def wrong(self, name):
        self.answer(gzip.compress(OTHERS[name]))

    def truncated(self, name):
        body = gzip.compress(CONTENTS[name])
        self.answer(body[: len(body) // 2], announced=len(body))
        self.close_connection = True

    def bomb(self, name):
        self.answer(gzip.compress(CONTENTS[name] + bytes(1 << 18)))

    def endless(self, name):
        self.answer(b"", announced=1 << 40)
        while True:
            self.wfile.write(bytes(1 << 16))

    def silent(self, name):
        self.server.closing.wait(10)

    def stalling(self, name):
        self.answer(gzip.compress(CONTENTS[name])[:20], announced=1000)
        self.server.closing.wait(10)

    def dripping(self, name):
        self.answer(b"", announced=1000)
        while not self.server.closing.wait(0.02):
            self.wfile.write(b"\0")

    def moved(self, name):
        self.answer(b"", 302, Location=f"/good/{name}.gz")

    def going_round(self, name):
        self.answer(b"", 302, Location=self.path)

    def to_http(self, name):
        port = self.server.server_address[1]
        self.answer(b"", 302, Location=f"http://localhost:{port}/good/{name}.gz")  # not among the prefixes allowed

    def to_a_file(self, name):
        self.answer(b"", 302, Location="file:///etc/hostname")

    def together(self, name):
        self.server.two_ask.wait(30)
        self.good(name)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Mirror) as server:
        server.asked, server.closing, server.two_ask = [], threading.Event(), threading.Barrier(2)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and a small set in MNIST's place."""
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    with passing_for_mnist(CONTENTS):
        point_at(tmp_path / "cache", [], monkeypatch.setattr)
        monkeypatch.setenv("no_proxy", "*")
        yield tmp_path / "cache"


@pytest.fixture
def mirrors(server, cache, monkeypatch):
    """A function that sets the list of mirrors by their behaviours."""

    def set_mirrors(*behaviours):
        addresses = [f"http://127.0.0.1:{server.server_address[1]}/{behaviour}/" for behaviour in behaviours]
        monkeypatch.setattr(mnist, "MIRRORS", addresses)
        if NEVER_DONE.intersection(behaviours):
            lose_patience(monkeypatch)
        return addresses

    return set_mirrors


def lose_patience(monkeypatch):
    """Give up soon on a mirror that never finishes; one that works must be faster, also on a busy machine."""
    monkeypatch.setattr(download, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(download, "TRANSFER_SECONDS", 1)


def point_at(folder, addresses, set_attribute=setattr):
    """Have MNIST cached in ``folder``, from mirrors on this machine that have no certificate, with patience for a busy one."""
    set_attribute(mnist, "cache_folder", lambda: folder)
    set_attribute(mnist, "MIRRORS", addresses)
    set_attribute(download, "_ALLOWED_PREFIXES", ("http://127.0.0.1:",))
    set_attribute(download, "CONNECT_SECONDS", 30)
    set_attribute(download, "TRANSFER_SECONDS", 30)


def kept(folder):
    return sorted(path.name for path in folder.iterdir())


NEVER_DONE = {"silent", "stalling", "dripping"}  # of FAULTS
ALL_KEPT = sorted(f"{name}.gz" for name in PUBLISHED)


def assert_loaded_right(digits):
    assert digits.is_mnist
    np.testing.assert_array_equal(encode_idx(digits.test_labels.astype(np.uint8)), CONTENTS[mnist.TEST_LABELS])


FAULTS = {
    "missing": "HTTP Error 404: Not Found",
    "broken": "HTTP Error 500",
    "web_page": "found magic number 0x3c68746d, expected magic number 0x00000801",
    "wrong": "found content with the SHA-256 [0-9a-f]{64}, expected MNIST's",
    "truncated": "found a damaged gzip file|IncompleteRead",
    "bomb": "found more bytes than that after the header",
    "endless": "sends more than the [0-9,]+ bytes the file can have",
    "silent": "no answer within 1 s|timed out",
    "stalling": "timed out",
    "dripping": "sent [0-9]+ bytes in 1 s and was not done",
    "going_round": "redirect",
    "to_http": "leads to http://localhost:[0-9]+/good/.*, only https is followed",
    "to_a_file": "'file:///etc/hostname' is not allowed",
}


# -- the mirrors


@pytest.mark.parametrize("behaviour", ["good", "uncompressed", "moved"])
def test_mnist_is_downloaded_once_and_then_read_from_the_cache(mirrors, cache, server, behaviour):
    mirrors(behaviour)
    assert_loaded_right(load_digits("mnist"))
    assert kept(cache) == ALL_KEPT
    asked = len(server.asked)
    assert_loaded_right(load_digits("auto"))
    assert len(server.asked) == asked


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_faulty_mirror_the_next_is_tried(mirrors, cache, fault):
    mirrors(fault, "good")
    assert_loaded_right(load_digits("mnist"))
    assert kept(cache) == ALL_KEPT


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_reported_with_its_address_and_nothing_is_kept(mirrors, cache, fault):
    (address,) = mirrors(fault)
    with pytest.raises(DownloadError, match=re.escape(address) + r"t10k-labels-idx1-ubyte\.gz: .*" + f"({FAULTS[fault]})"):
        load_digits("mnist")
    assert kept(cache) == []


def test_the_last_error_lists_every_address_with_its_reason_and_the_manual_way(mirrors, cache):
    addresses = mirrors("missing", "truncated", "to_http", "wrong")
    with pytest.raises(DownloadError) as caught:
        load_digits("mnist")
    said = str(caught.value)
    for address in addresses:
        assert f"\n{address}t10k-labels-idx1-ubyte.gz: " in said
    assert "By hand: fetch the four files" in said and all(name in said for name in PUBLISHED)
    assert f"put them into {cache}, or into any folder that you then name in {FOLDER_VARIABLE}" in said


def test_a_mirror_that_fails_midway_leaves_the_files_before_it_and_the_next_call_goes_on(mirrors, cache, server, monkeypatch):
    mirrors("good")
    monkeypatch.setattr(Mirror, "good", lambda self, name: getattr(self, "wrong" if "images" in name else "uncompressed")(name))
    with pytest.raises(DownloadError, match="t10k-images"):
        load_digits("mnist")
    assert kept(cache) == ["t10k-labels-idx1-ubyte.gz", "train-labels-idx1-ubyte.gz"]
    mirrors("moved", "uncompressed")
    server.asked.clear()
    assert_loaded_right(load_digits("mnist"))
    assert not any("labels" in path for path in server.asked)


def test_a_closed_port_is_a_fault_like_others(mirrors, cache, monkeypatch):
    (good,) = mirrors("good")
    monkeypatch.setattr(mnist, "MIRRORS", ["http://127.0.0.1:1/", good])
    assert_loaded_right(load_digits("mnist"))


def test_plain_http_is_never_asked(mirrors, cache, server, monkeypatch):
    mirrors("good")
    monkeypatch.setattr(download, "_ALLOWED_PREFIXES", ("https://",))
    with pytest.raises(DownloadError, match="only https is followed"):
        load_digits("mnist")
    assert server.asked == []


def test_https_is_all_that_is_allowed_to_users():
    assert download._ALLOWED_PREFIXES == ("https://",)


def test_a_connection_that_hangs_in_the_look_up_of_the_name_is_left(mirrors, cache, monkeypatch):
    released = threading.Event()
    mirrors("good")
    lose_patience(monkeypatch)

    def look_up(*args, **options):
        released.wait(10)
        raise OSError("name server not found")

    monkeypatch.setattr("socket.getaddrinfo", look_up)
    try:
        with pytest.raises(DownloadError, match="no answer within 1 s"):
            load_digits("mnist")
    finally:
        released.set()


# -- the cache


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_a_file_damaged_in_the_cache_is_downloaded_anew(mirrors, cache, capsys, name):
    write_set(cache, CONTENTS, zipped=True)
    path = cache / f"{name}.gz"
    path.write_bytes(path.read_bytes()[:-1])
    mirrors("good")
    assert_loaded_right(load_digits("mnist"))
    assert gzip.decompress(path.read_bytes()) == CONTENTS[name]
    assert f"{path}: found a damaged gzip file" in capsys.readouterr().err


def test_a_file_damaged_in_the_cache_is_never_used_when_no_mirror_answers(mirrors, cache):
    write_set(cache, OTHERS, zipped=True)
    mirrors("missing")
    with pytest.raises(DownloadError, match="404"):
        load_digits("mnist")


def test_files_put_into_the_cache_by_hand_are_found(cache):
    write_set(cache, CONTENTS, zipped=True)
    assert_loaded_right(load_digits("mnist"))


def load_in_another_process(folder, addresses):
    point_at(folder, addresses)
    with passing_for_mnist(CONTENTS):
        return load_digits("mnist").is_mnist


def test_two_processes_at_once_do_not_collide(mirrors, cache, server):
    addresses = mirrors("together")  # answers only when both ask for the same file
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        loaded = [pool.submit(load_in_another_process, cache, addresses) for _ in range(2)]
        assert [each.result() for each in loaded] == [True, True]
    assert len(server.asked) == 2 * len(PUBLISHED)
    assert kept(cache) == ALL_KEPT
    assert_loaded_right(load_digits("mnist"))


def die_while_writing(folder, addresses):
    os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
    load_in_another_process(folder, addresses)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_writer_leaves_no_file_but_a_stray_that_the_next_one_sweeps(mirrors, cache):
    addresses = mirrors("good")
    writer: Process = get_context("spawn").Process(target=die_while_writing, args=(cache, addresses))
    writer.start()
    writer.join()
    assert writer.exitcode == -signal.SIGKILL
    (stray,) = kept(cache)
    assert stray.endswith(".part")

    assert_loaded_right(load_digits("mnist"))
    assert kept(cache) == ALL_KEPT


def test_a_full_disk_leaves_nothing_and_says_so(mirrors, cache, monkeypatch):
    mirrors("good")

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DownloadError, match=rf"cannot be kept.*No space left on device.*{FOLDER_VARIABLE}"):
        load_digits("mnist")
    assert kept(cache) == []


def test_a_cache_that_cannot_be_made_is_reported(cache, monkeypatch):
    cache.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=re.escape(str(cache))):
        load_digits("mnist")


def test_a_user_without_a_home_is_told_what_to_do(cache, monkeypatch):
    monkeypatch.setattr(mnist, "cache_folder", cache_folder)
    for variable in "HOME", "XDG_CACHE_HOME":
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: Path("~nobody-here").expanduser()))
    with pytest.raises(DownloadError, match=f"cannot be kept.*{FOLDER_VARIABLE}"):
        load_digits("mnist")


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, "home/.cache/minitorch/mnist"),
        ("linux", {"XDG_CACHE_HOME": "elsewhere"}, "elsewhere/minitorch/mnist"),
        ("darwin", {}, "home/Library/Caches/minitorch/mnist"),
        ("win32", {}, "home/AppData/Local/minitorch/mnist"),
        ("win32", {"LOCALAPPDATA": "local"}, "local/minitorch/mnist"),
    ],
)
def test_the_cache_is_where_the_system_keeps_caches(monkeypatch, platform, environment, expected):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "home", classmethod(lambda cls: Path("home")))
    for variable in "XDG_CACHE_HOME", "LOCALAPPDATA":
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert cache_folder() == Path(expected)


# -- what auto makes of it


def test_auto_announces_the_embedded_digits_when_mnist_is_not_to_be_had(mirrors, cache):
    (address,) = mirrors("missing")
    with pytest.warns(UserWarning, match="MNIST is not available") as warned:
        digits = load_digits("auto")
    assert "Used instead: UCI's 8x8" in str(warned[0].message) and address in str(warned[0].message)
    assert warned[0].filename == __file__
    assert digits.name == "UCI digits (not MNIST)" and not digits.is_mnist


def test_a_download_error_is_a_dataset_error():
    assert issubclass(DownloadError, DatasetError) and issubclass(DatasetError, ValueError)
