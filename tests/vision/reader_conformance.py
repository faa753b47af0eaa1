"""What every detector and reader owes the pipeline, whatever it is made of: tests inherit `ReaderConformance`.

They are reached as the camera's process reaches them, through `edge.ports`; `subject` is a picture in which they find a
plate.
"""

from __future__ import annotations

import numpy as np
import pytest

from edge.ports import Detection, Detector, Image, Reader

Eyes = tuple[Detector, Reader]
SIZES = [(1, 1, 3), (31, 400, 3), (65, 33, 3), (720, 1280, 3)]


class ReaderConformance:
    @pytest.fixture
    def eyes(self) -> Eyes:
        raise NotImplementedError

    @pytest.fixture
    def subject(self) -> Image:
        raise NotImplementedError

    def test_a_place_is_told_clockwise_from_its_top_left_and_how_sure_it_is(self, eyes: Eyes, subject: Image) -> None:
        places = eyes[0].detect(subject)
        assert places
        for place in places:
            (ax, ay), (bx, by), (cx, cy), (dx, dy) = place.corners
            assert (ax + dx, ay + by) < (bx + cx, cy + dy)
            assert 0.0 <= place.score <= 1.0
            assert place.layout in ("one_line", "two_line", "unknown")

    def test_the_best_place_is_told_first(self, eyes: Eyes, subject: Image) -> None:
        scores = [place.score for place in eyes[0].detect(subject)]
        assert scores == sorted(scores, reverse=True)

    def test_each_place_has_one_answer_and_no_place_has_none(self, eyes: Eyes, subject: Image) -> None:
        place = eyes[0].detect(subject)[0]
        assert len(eyes[1].read(subject, [place, place, place])) == 3
        assert eyes[1].read(subject, []) == []

    def test_a_reading_lies_where_its_place_is_and_says_how_sure_it_is(self, eyes: Eyes, subject: Image) -> None:
        places = eyes[0].detect(subject)
        reads = [(place, read) for place, read in zip(places, eyes[1].read(subject, places), strict=True) if read]
        assert reads
        for place, read in reads:
            xs, ys = zip(*place.corners, strict=True)
            assert read.box[0] < max(xs)
            assert read.box[2] > min(xs)
            assert read.box[1] < max(ys)
            assert read.box[3] > min(ys)
            assert 0.0 <= read.plate.confidence <= 1.0
            assert read.plate.text

    @pytest.mark.parametrize("shape", SIZES)
    def test_a_grey_picture_of_any_size_is_looked_at_and_nothing_is_read(
        self, eyes: Eyes, shape: tuple[int, int, int]
    ) -> None:
        image = np.full(shape, 127, np.uint8)
        assert not any(eyes[1].read(image, eyes[0].detect(image)))

    def test_a_place_beside_the_picture_is_read_as_nothing_or_refused_by_its_own_error(
        self, eyes: Eyes, subject: Image
    ) -> None:
        corners = ((-90.0, -40.0), (-10.0, -40.0), (-10.0, -10.0), (-90.0, -10.0))
        assert eyes[1].read(subject, [Detection(corners, 0.9, "one_line", (corners,))]) == [None]
