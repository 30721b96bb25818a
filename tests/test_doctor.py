"""`python -m minitorch.doctor`: what it says is in use, and what it advises."""

import pytest

import minitorch
from minitorch import doctor
from minitorch.doctor import Measured, advice, choices, facts, measure


def test_it_names_what_is_in_use():
    found = facts()
    assert set(found) == {"versions", "system", "BLAS", "own threads", "freed memory", "GPU"}
    assert all(found.values())
    assert found["own threads"].startswith(f"{minitorch.get_num_threads()}, ")
    assert "NumPy" in found["versions"]


def test_a_measurement_is_of_a_fresh_process():
    one = measure(0.01, OPENBLAS_NUM_THREADS="1")
    assert one.gflops > 0 and one.step_ms > 0
    with pytest.raises(RuntimeError, match=r"measuring process failed.*MINITORCH_NONSENSE"):
        measure(0.01, PYTHONHOME="/nonexistent", MINITORCH_NONSENSE="1")


def test_only_what_was_measured_to_help_is_advised():
    variables = {"a": {"A": "1"}, "b": {"B": "2"}}
    others = {"a": Measured(1.0, 5.0), "b": Measured(9.0, 9.5)}
    assert advice(Measured(1.0, 10.0), others, variables) == ["a: the step is 2.0 times as fast. Set A=1 before Python starts."]


@pytest.mark.parametrize(
    ("kernel", "avx512", "tried"), [("Haswell", True, True), ("SkylakeX", True, False), ("Zen", False, False)]
)
def test_another_kernel_is_tried_where_openblas_has_not_recognised_the_processor(monkeypatch, kernel, avx512, tried):
    monkeypatch.setattr(doctor, "has_avx512", lambda: avx512)
    assert ("OpenBLAS kernel SkylakeX" in choices({"name": "scipy-openblas", "kernel": kernel})) is tried


@pytest.mark.parametrize(
    ("name", "variable"), [("scipy-openblas", "OPENBLAS_NUM_THREADS"), ("mkl-sdl", "MKL_NUM_THREADS"), ("other", None)]
)
def test_the_variable_for_threads_is_the_librarys_own(monkeypatch, name, variable):
    found = {"one BLAS thread": {variable: "1"}, "two BLAS threads": {variable: "2"}} if variable else {}
    monkeypatch.setattr(doctor.os, "cpu_count", lambda: 2)
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert choices({"name": name, "kernel": None}) == found
    monkeypatch.setattr(doctor.os, "cpu_count", lambda: 1)
    found.pop("two BLAS threads", None)
    assert choices({"name": name, "kernel": None}) == found


def test_a_kernel_that_the_environment_names_is_measured_against_the_librarys_own_choice(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    variables = choices({"name": "scipy-openblas", "kernel": "Haswell"})
    assert variables["OpenBLAS's own choice of kernel"] == {"OPENBLAS_CORETYPE": None}
    measured = {name: Measured(1.0, 5.0 if "own choice" in name else 10.0) for name in variables}
    (said,) = advice(Measured(1.0, 10.0), measured, variables)
    assert said.endswith("the step is 2.0 times as fast. Unset OPENBLAS_CORETYPE before Python starts.")


def test_it_says_when_a_second_thread_makes_a_step_slower():
    variables = {doctor.ONE: {"A": "1"}, doctor.TWO: {"A": "2"}}
    others = {doctor.ONE: Measured(1.0, 6.5), doctor.TWO: Measured(1.0, 104.0)}
    assert "16.0 times as long as with one, on this machine now" in advice(Measured(1.0, 6.5), others, variables)[-1]
    assert not advice(Measured(1.0, 6.5), {**others, doctor.TWO: Measured(1.0, 6.6)}, variables)


def test_the_command_prints_facts_measurements_and_advice(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "measure", lambda **environment: Measured(100.0, 1.0 if environment else 2.0))
    doctor.main()
    said = capsys.readouterr().out
    assert "as it is" in said and "one BLAS thread" in said
    assert "2.0 times as fast" in said
