"""Files written whole or not at all: what readers find after errors, interruptions, kills and two writers at once."""

import errno
import os
import signal
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from minitorch.files import atomic
from minitorch.files.atomic import atomic_write

needs_posix = pytest.mark.skipif(os.name == "nt", reason="POSIX signals, locks and links")


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def started(path, content="half"):
    """Another process that has begun to write `path` and waits."""
    program = f"""
        import sys, time
        from minitorch.files.atomic import atomic_write
        with atomic_write({str(path)!r}) as file:
            file.write({content!r}.encode())
            file.flush()
            print("writing", flush=True)
            sys.stdin.readline()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout.readline() == "writing\n"
    return process


def test_the_content_is_there_after_the_block_and_not_before(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


def test_a_string_names_the_file_too(tmp_path):
    with atomic_write(str(tmp_path / "file")) as file:
        file.write(b"new")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("kind", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_writer_leaves_the_old_file_and_nothing_else(tmp_path, kind):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def interrupted():
        with atomic_write(path) as file:
            file.write(b"new")
            raise kind("stop")

    with pytest.raises(kind, match="stop"):
        interrupted()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path, monkeypatch, call):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr(atomic.os, call, full)
    said = "nothing was replaced: the file that was there, if any, is unchanged"
    with pytest.raises(OSError, match=said) as caught, atomic_write(path) as file:
        file.write(b"new")
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_disk_that_fills_up_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    opened = open

    def on_a_full_disk(name, mode):
        file = opened(name, mode)
        os.dup2(os.open("/dev/full", os.O_WRONLY), file.fileno())
        return file

    monkeypatch.setattr(atomic, "open", on_a_full_disk, raising=False)
    with pytest.raises(OSError, match="is unchanged") as caught, atomic_write(path) as file:
        file.write(b"new" * 100_000)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_errors_of_the_block_itself_are_passed_on_as_they_are(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "file"):
        (tmp_path / "another").read_bytes()
    assert caught.value.filename == str(tmp_path / "another")


def test_a_missing_folder_is_named_by_the_file_asked_for(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / "no" / "file"):
        pass
    assert caught.value.filename == str(tmp_path / "no" / "file")


def test_the_file_is_flushed_before_it_is_renamed_and_the_folder_after(tmp_path, monkeypatch):
    calls = []

    def noted(name):
        real = getattr(os, name)

        def call(*args):
            calls.append((name, "folder" if name == "fsync" and os.path.isdir(f"/proc/self/fd/{args[0]}") else "file"))
            return real(*args)

        monkeypatch.setattr(atomic.os, name, call)

    noted("fsync")
    noted("replace")
    with atomic_write(tmp_path / "file") as file:
        file.write(b"new")
    expected = [("fsync", "file"), ("replace", "file"), ("fsync", "folder")]
    assert calls == (expected if os.path.isdir("/proc/self/fd") else [(name, "file") for name, _ in expected])


@needs_posix
def test_what_a_killed_writer_left_is_swept_by_the_next_writer_of_the_same_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    process = started(path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    with atomic_write(tmp_path / "other"):
        pass
    assert len(names(tmp_path)) == 3  # not its business
    with atomic_write(path) as file:
        file.write(b"new")
    assert names(tmp_path) == ["file", "other"]


@needs_posix
def test_what_a_living_writer_is_at_is_left_alone_and_the_last_to_finish_wins(tmp_path):
    path = tmp_path / "file"
    process = started(path, "first")
    with atomic_write(path) as file:
        file.write(b"second")
    assert path.read_bytes() == b"second"
    process.communicate("\n")
    assert process.returncode == 0
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["file"]


def test_only_temporary_files_of_this_very_name_are_swept(tmp_path):
    kept = [".file.part", ".file.0123456789abcdeg.part", ".file.x.0123456789abcdef.part", "file.0123456789abcdef.part"]
    for name in [*kept, ".file.0123456789abcdef.part"]:
        (tmp_path / name).write_bytes(b"")
    with atomic_write(tmp_path / "file"):
        pass
    assert names(tmp_path) == sorted([*kept, "file"])


def test_writers_that_meet_do_not_mix(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([i]) * 50_000 for i in range(8)]
    failures = []

    def write(content):
        try:
            for _ in range(10):
                with atomic_write(path) as file:
                    for start in range(0, len(content), 5000):
                        file.write(content[start : start + 5000])
                assert path.read_bytes() in contents
        except BaseException as reason:
            failures.append(reason)

    threads = [threading.Thread(target=write, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["file"]


@needs_posix
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "file")
    with atomic_write(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"new"


@needs_posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    with atomic_write(path) as file:
        assert stat.S_IMODE(os.stat(file.name).st_mode) == mode, "from the start, so that nobody reads it meanwhile"
        file.write(b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@needs_posix
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    with atomic_write(tmp_path / "file"):
        pass
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "usual").stat().st_mode


@needs_posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anything")
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(0o444)
    with pytest.raises(PermissionError, match="file"), atomic_write(tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_folder_is_not_replaced(tmp_path):
    with pytest.raises(OSError, match=tmp_path.name), atomic_write(tmp_path):
        pass
    assert tmp_path.is_dir()
