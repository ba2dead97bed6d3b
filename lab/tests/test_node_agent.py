# SPDX-License-Identifier: GPL-2.0-or-later
"""The agent of a node, run here as an ordinary process and asked as the lab asks it."""
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from node import frames
from vpnlab.host import channel as channel_module
from vpnlab.host.channel import Channel, NodeDown, RemoteError
from vpnlab.host.errors import TimedOut

NODE = Path(__file__).resolve().parent.parent / "node"


class Here:
    """Stands for the lab's namespace: connects on this host."""

    def connect(self, address, port, timeout):
        return socket.create_connection((address, port), timeout)


@pytest.fixture(scope="module")
def port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def agent(port):
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(NODE)!r}); import agent; "
         f"agent.serve('127.0.0.1', {port}, 'secret')"])
    wait(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def channel(agent, port, monkeypatch):
    monkeypatch.setattr(channel_module, "AGENT_PORT", port)
    return Channel("n", Here(), "127.0.0.1", "secret", lambda: agent.poll() is None)


def run(channel, *argv, stdin=b"", timeout=10.0, **fields):
    output = {"stdout": b"", "stderr": b""}

    def collect(stream, data):
        output[stream] += data

    code = channel.run(argv, stdin=stdin, timeout=timeout, on_output=collect, **fields)
    return code, output["stdout"], output["stderr"]


def test_exit_code_and_both_streams_come_back(channel):
    assert run(channel, "sh", "-c", "echo o; echo e >&2; exit 7") == (7, b"o\n", b"e\n")


def test_code_of_a_killed_command_is_its_signal(channel):
    assert run(channel, "sh", "-c", "kill -9 $$")[0] == -signal.SIGKILL


def test_standard_input_and_large_output_are_whole(channel):
    data = os.urandom(3_000_000)
    assert run(channel, "cat", stdin=data) == (0, data, b"")


def test_command_that_does_not_exist_is_127_as_in_a_shell(channel):
    code, _, errors = run(channel, "no-such-command")
    assert code == 127 and b"no-such-command" in errors


def test_directory_and_environment_are_the_callers(channel, tmp_path):
    code, output, _ = run(channel, "sh", "-c", "pwd; echo $WORD", cwd=str(tmp_path),
                          env={"WORD": "x"})
    assert output.decode().split() == [str(tmp_path), "x"]


def test_command_over_its_time_is_ended_with_its_children(channel, tmp_path):
    pid_file = tmp_path / "child"
    with pytest.raises(TimedOut):
        run(channel, "sh", "-c", f"sleep 60 & echo $! >{pid_file}; wait", timeout=0.5)
    child = Path(f"/proc/{pid_file.read_text().strip()}")
    wait(lambda: not child.exists() or "\nState:\tZ" in (child / "status").read_text())


def test_daemon_that_keeps_the_pipe_does_not_delay_the_answer(channel):
    started = time.monotonic()
    assert run(channel, "sh", "-c", "sleep 3 & echo done") == (0, b"done\n", b"")
    assert time.monotonic() - started < 2


def test_commands_run_side_by_side(channel):
    started = time.monotonic()
    threads = [threading.Thread(target=run, args=(channel, "sleep", "0.5")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started < 2


def test_closed_connection_ends_its_command(channel, tmp_path, port):
    pid_file = tmp_path / "pid"
    stream = socket.create_connection(("127.0.0.1", port))
    stream.sendall(frames.encode({"do": "run", "token": "secret", "argv": [
        "sh", "-c", f"echo $$ >{pid_file}.new; mv {pid_file}.new {pid_file}; exec sleep 60"]}))
    wait(pid_file.exists)
    stream.close()
    wait(lambda: not Path(f"/proc/{pid_file.read_text().strip()}").exists())


def wait(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_background_process_is_polled_signalled_and_waited_for(channel, tmp_path):
    log = tmp_path / "out"
    handle = channel.request("start", argv=["sh", "-c", "echo hi; exec sleep 60"],
                             stdout=str(log))[0]["handle"]
    assert channel.request("poll", handle=handle)[0] == {"running": True}
    wait(lambda: log.exists() and log.read_text() == "hi\n")
    channel.request("signal", handle=handle, number=signal.SIGTERM)
    assert channel.request("wait", handle=handle)[0]["exit"] == -signal.SIGTERM
    assert channel.request("poll", handle=handle)[0]["exit"] == -signal.SIGTERM


def test_unknown_handle_is_an_error(channel):
    with pytest.raises(RemoteError, match="no process with handle"):
        channel.request("poll", handle=999999)


def test_file_put_is_the_file_got(channel, tmp_path):
    data = os.urandom(200_000)
    path = str(tmp_path / "sub" / "file")
    channel.request("put", b"before", path=path)
    channel.request("put", data, path=path, mode=0o600)
    assert channel.request("get", path=path)[1] == data
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_missing_file_shows_its_errno(channel, tmp_path):
    with pytest.raises(RemoteError) as caught:
        channel.request("get", path=str(tmp_path / "none"))
    assert caught.value.errno == 2


def test_pipe_without_a_reader_does_not_stop_the_agent(channel, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(RemoteError):
        channel.request("put", b"x", path=str(tmp_path / "fifo"), append=True)
    assert run(channel, "true")[0] == 0


def test_wrong_token_is_refused(agent, port, channel):
    stranger = Channel("n", Here(), "127.0.0.1", "guess", lambda: True)
    with pytest.raises(RemoteError, match="wrong token"):
        stranger.request("hello")


def test_garbage_does_not_end_the_agent(channel, port):
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(b"\xff" * 64)
        assert stream.recv(1) == b""
    with socket.create_connection(("127.0.0.1", port)) as stream:
        stream.sendall(b"\0\0\0\3\0\0\0\0[1]")
        assert stream.recv(1) == b""
    assert run(channel, "true")[0] == 0


def test_clock_is_compared(channel):
    sample = channel.clock()
    assert abs(sample.offset_s) <= 0.01
    assert 0 < sample.uncertainty_s < 0.1


def test_node_without_power_is_reported_at_once(port):
    dead = Channel("gw1", Here(), "127.0.0.1", "secret", lambda: False)
    with pytest.raises(NodeDown, match="gw1"):
        dead.request("hello")


@pytest.mark.parametrize("cut", range(1, 20, 3))
def test_frames_are_put_together_from_any_pieces(cut):
    data = frames.encode({"a": 1}, b"body") + frames.encode({}, b"")
    decoder = frames.Decoder()
    found = []
    for start in range(0, len(data), cut):
        decoder.feed(data[start:start + cut])
        while frame := decoder.next():
            found.append(frame)
    assert found == [({"a": 1}, b"body"), ({}, b"")]
