"""Every reader against the same suite: our own, and RapidOCR's."""

from __future__ import annotations

from functools import cache

import pytest

from edge.ports import Image
from edge.vision import models
from tests.vision.reader_conformance import Eyes, ReaderConformance
from tests.vision.test_eyes_own import picture
from tests.vision.test_vision_rapid import standing

built = cache(models.build)


class TestOwnReader(ReaderConformance):
    @pytest.fixture
    def eyes(self) -> Eyes:
        return built("own")

    @pytest.fixture
    def subject(self) -> Image:
        return picture("long-vn.jpg")


class TestRapidReader(ReaderConformance):
    @pytest.fixture
    def eyes(self) -> Eyes:
        return built("rapidocr")

    @pytest.fixture
    def subject(self) -> Image:
        return standing("b1-out-vn-two-line", 1)[0]
