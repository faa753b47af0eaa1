#!/usr/bin/env python3
"""Takes out of an installed tree what a gate never runs: `trim.py SITE_PACKAGES`; prints what each rule saved, in MB.

Whole files go, or become links to a twin that another wheel brings in the same version (docs/decisions/0007-package.md
says which and why it is safe); some modules lose their debug symbols. `packaging/build` loads every library of what is
left and runs the models on it.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Rule = Callable[[Path], Iterator[Path]]

NOT_AT_RUN_TIME = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel", "distutils-precedence.pth")
NEVER_READ = ("*.pyi", "*.pxd", "*.pyx", "*.h", "*.hpp", "*.a", "*.c", "*.lib", "*.exe")
OPENCV, PYAV = "opencv_python_headless.libs", "av.libs"
STRIPPED = ("av", "cryptography", "PIL", "google", "numpy")
"""Extension modules that carry debug symbols. Never the bundled libraries: strip breaks those that were patched."""
LAPACK = Path("/usr/lib") / str(sysconfig.get_config_var("MULTIARCH")) / "liblapack.so.3"


def installers(site: Path) -> Iterator[Path]:
    """What installed the rest, with its metadata."""
    for name in NOT_AT_RUN_TIME:
        yield from site.glob(name)
        yield from site.glob(f"{name}-*.dist-info")


def tests(site: Path) -> Iterator[Path]:
    """The libraries' own test suites."""
    yield from site.glob("numpy/_core/_simd.*.so")
    yield from site.glob("numpy/_core/_*_tests.*.so")
    yield from (folder for name in ("tests", "test") for folder in site.glob(f"**/{name}") if folder.is_dir())


def headers(site: Path) -> Iterator[Path]:
    """Stubs, headers and sources: for compilers and type checkers."""
    yield from (path for pattern in NEVER_READ for path in site.glob(f"**/{pattern}") if path.is_file())


def second_onnxruntime(site: Path) -> Iterator[Path]:
    """The C library beside the Python binding, which holds the whole runtime itself."""
    yield from site.glob("onnxruntime/capi/libonnxruntime.so*")
    yield from (site / "onnxruntime" / name for name in ("transformers", "tools", "quantization"))


def training(site: Path) -> Iterator[Path]:
    """Parts of libraries for other jobs: Fortran bindings, image viewers, benchmarks, caches."""
    yield from (site / "numpy" / name for name in ("f2py", "distutils"))
    yield site / "reportlab/fonts"  # ours are in edge/panel/fonts
    yield from (site / "reportlab/graphics" / name for name in ("barcode", "charts", "samples", "widgets"))
    yield from (site / name for name in ("google", "flatbuffers"))  # onnxruntime's converters read with these
    yield site / "pydantic/v1"
    yield site / "tzdata"  # the system's: the package depends on it
    yield from site.glob("cv2/data/*.xml")
    yield from (folder for folder in site.glob("**/__pycache__"))


RULES: tuple[Rule, ...] = (installers, tests, headers, second_onnxruntime, training)


def trim(site: Path) -> dict[str, int]:
    """Bytes saved by each rule. Raises SystemExit where a twin is not the twin that it must be."""
    saved: dict[str, int] = {}
    for rule in RULES:
        before = size_bytes(site)
        for path in list(rule(site)):
            if not path.exists() and not path.is_symlink():
                continue
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
        saved[rule.__name__] = before - size_bytes(site)
    for change in (second_ffmpeg, share_lapack, encoders, debug_symbols):
        before = size_bytes(site)
        change(site)
        saved[change.__name__] = before - size_bytes(site)
    return saved


def debug_symbols(site: Path) -> None:
    """What only a debugger reads."""
    modules = [path for name in STRIPPED for path in (site / name).glob("**/*.so")]
    if modules:
        subprocess.run(["strip", "--strip-unneeded", *map(str, modules)], check=True)


def second_ffmpeg(site: Path) -> None:
    """OpenCV brings an FFmpeg of its own, 40 MB, for reading and writing video: that is PyAV's work here, OpenCV's is
    pictures. Its loader wants the names, so these stay, and nothing behind them."""
    ours = site / OPENCV
    wanted = _undefined(site / "cv2" / "cv2.abi3.so")
    for name in ("avcodec", "avformat", "avutil", "swscale"):
        version = f"LIB{name.upper()}_"
        names = [(symbol, tag) for symbol, tag in wanted if tag.startswith(version)]
        _names_only(_only(ours, f"lib{name}-*.so.*"), names, 0)
    for gone in ("swresample", "vpx", "crypto", "ssl", "drm"):  # needed by the whole ones, and by nothing else
        for path in ours.glob(f"lib{gone}-*"):
            path.unlink()
    for name in ("avif", "png16"):
        _link(_only(ours, f"lib{name}-*.so.*"), _only(site / "pillow.libs", f"lib{name}-*.so.*"))
    for path in ours.glob("libaom-*"):
        path.unlink()


def share_lapack(site: Path) -> None:
    """OpenCV's OpenBLAS becomes a link to Debian's LAPACK (a dependency of the package): OpenCV asks it only for
    matrices larger than 100 x 100, and nothing here has one."""
    ours = site / OPENCV
    library = _only(ours, "libopenblasp-*.so")
    library.unlink()
    library.symlink_to(LAPACK)
    for name in ("gfortran", "quadmath"):
        for path in ours.glob(f"lib{name}-*"):
            path.unlink()


def encoders(site: Path) -> None:
    """The two encoders that a gate never opens, 27 MB: libavcodec wants their names at its load, nothing more.

    x265 then gives no interface, SVT-AV1 an error. A gate decodes; what it writes are copied streams and JPEGs.
    """
    folder = site / PYAV
    wanted = _undefined(_only(folder, "libavcodec-*.so.*"))
    for pattern, prefix, answer in (("libx265-*.so.*", "x265_", 0), ("libSvtAv1Enc-*.so.*", "svt_", -1)):
        _names_only(_only(folder, pattern), [one for one in wanted if one[0].startswith(prefix)], answer)


def _undefined(library: Path) -> list[tuple[str, str]]:
    """The names that a library takes from others, each with the version it wants of it, or ""."""
    told = subprocess.run(["nm", "-D", "--undefined-only", str(library)], capture_output=True, text=True, check=True)
    pairs = (line.split()[-1].partition("@") for line in told.stdout.splitlines())
    return [(name, version.lstrip("@")) for name, _, version in pairs]


def _names_only(library: Path, names: Sequence[tuple[str, str]], answer: int) -> None:
    """A library in the place of another: the same file name and symbols, and each function answers this number.

    tests/ hold that no code of the product asks for what lies behind.
    """
    if not names:
        sys.exit(f"trim: nothing is wanted of {library.name} any more: look at the wheel anew")
    code = f"mov ${answer}, %rax; ret" if platform.machine() == "x86_64" else f"mov x0, #{answer}; ret"
    functions = "".join(f".globl {name}\n.type {name}, %function\n{name}: {code}\n" for name, _ in names)
    versions = "".join(f"{version} {{ global: *; }};\n" for version in {version for _, version in names if version})
    with tempfile.TemporaryDirectory() as folder:
        made, script = Path(folder) / "names.o", Path(folder) / "versions"
        text = f'.text\n{functions}.section .note.GNU-stack,"",%progbits\n'
        subprocess.run(["as", "-o", str(made), "-"], input=text, text=True, check=True)
        script.write_text(versions, encoding="ascii")
        more = ["--version-script", str(script)] if versions else []
        subprocess.run(["ld", "-shared", "-soname", library.name, *more, "-o", str(library), str(made)], check=True)


def _only(folder: Path, pattern: str) -> Path:
    found = [path for path in folder.glob(pattern) if not path.is_symlink()]
    if len(found) != 1:
        sys.exit(f"trim: {folder}: {len(found)} files are {pattern}, one was expected: look at the wheel anew")
    return found[0]


def _link(ours: Path, theirs: Path) -> None:
    """Only where the ABI (the first number after .so.) is the same."""
    if _abi(ours) != _abi(theirs):
        sys.exit(f"trim: {ours.name} and {theirs.name} differ in ABI: they cannot be shared any more")
    ours.unlink()
    ours.symlink_to(os.path.relpath(theirs, ours.parent))


def _abi(path: Path) -> str:
    return path.name.split(".so.")[1].split(".")[0]


def size_bytes(folder: Path) -> int:
    """What the files take on disk; a file with two names counts once, a link for itself."""
    seen: dict[tuple[int, int], int] = {}
    for path in (folder, *folder.rglob("*")):
        status = path.lstat()
        seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def main(argv: list[str]) -> int:
    if len(argv) != 1 or not Path(argv[0]).is_dir():
        sys.exit("usage: trim.py SITE_PACKAGES")
    for rule, saved in trim(Path(argv[0])).items():
        print(f"trim: {rule}: {saved / 1e6:.1f} MB")
    print(f"trim: left: {size_bytes(Path(argv[0])) / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
