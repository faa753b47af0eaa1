"""The fifteen procedures as Decision 27/2025/QĐ-UBND writes them, copied out by hand from Articles 4 to 7.

Never made from config/procedures.toml: the tests hold the two against each other. Each step is (step, article,
groups): groups follow each other in time where the Decision lists them ("theo thứ tự sau": B1 out, B2 out); elsewhere
presence counts, and only the opener comes last at its own gate. "CU storage ?storage" is asked where the declaration
says so; "?!fee" unless it says no, because the article has no "nếu có". A step without groups is one that the article
lets through the yard without making a step of it.
"""

from __future__ import annotations

from dataclasses import dataclass

Groups = tuple[tuple[str, ...], ...]
Row = tuple[str, str, Groups]

TABLE: dict[str, list[Row]] = {
    # Điều 4.2: bến bãi trong khu vực cửa khẩu
    "EX-IN": [
        ("b2_in", "4.2.b", (("CU pass",), ("BG pass",))),
        ("yard_in", "4.2.c", (("SYS auto",),)),
        (
            "in_yard",
            "4.2.d",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "4.2.đ", (("GC|TX fee ?!fee",),)),
        ("yard_out", "4.2.e", (("SYS auto",),)),
        ("b1_out", "4.2.g", (("CD permit",), ("CU pass",), ("HE pass",), ("BG pass",))),
    ],
    # Điều 4.3: bến bãi ngoài, đầy đủ lực lượng
    "EX-OUT-FULL": [
        ("yard_in", "4.3.b", (("SYS auto",),)),
        (
            "in_yard",
            "4.3.c",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "4.3.d", (("GC|TX fee ?!fee",),)),
        ("yard_out", "4.3.đ", (("SYS auto",),)),
        ("b2_in", "4.3.e", (("CU pass",), ("BG pass",))),
        ("b1_out", "4.3.g", (("CD permit",), ("CU pass",), ("HE pass",), ("BG pass",))),
    ],
    # Điều 4.4: bến bãi ngoài, chưa đầy đủ lực lượng
    "EX-OUT-PART": [
        ("yard_in", "4.4.b", (("SYS auto",),)),
        (
            "in_yard",
            "4.4.c",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("yard_out", "4.4.d", (("SYS auto",),)),
        ("b2_in", "4.4.đ", (("CU pass",), ("BG pass",))),
        ("in_area", "4.4.e", (("BG weight_class",),)),
        ("fee", "4.4.g", (("GC|TX fee ?!fee",),)),
        ("b1_out", "4.4.h", (("CD permit",), ("CU pass",), ("HE pass",), ("BG pass",))),
    ],
    # Điều 5.2: bến bãi trong khu vực cửa khẩu
    "IM-IN": [
        ("b1_in", "5.2.b", (("CD permit", "CU pass", "HE pass"), ("BG pass",))),
        ("yard_in", "5.2.c", (("SYS auto",),)),
        (
            "in_yard",
            "5.2.d",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "5.2.đ", (("GC|TX fee ?!fee",),)),
        ("yard_out", "5.2.e", (("SYS auto",),)),
        ("b2_out", "5.2.g", (("CU pass",), ("BG pass",))),
    ],
    # Điều 5.3: bến bãi ngoài, đầy đủ lực lượng
    "IM-OUT-FULL": [
        ("b1_in", "5.3.b", (("CD permit", "CU pass", "HE pass"), ("BG pass",))),
        ("b2_out", "5.3.c", (("CU pass",), ("BG pass",))),
        ("yard_in", "5.3.d", (("SYS auto",),)),
        (
            "in_yard",
            "5.3.đ",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "5.3.e", (("GC|TX fee ?fee",),)),
        ("yard_out", "5.3.g", (("SYS auto",),)),
    ],
    # Điều 5.4: bến bãi ngoài, chưa đầy đủ lực lượng
    "IM-OUT-PART": [
        ("b1_in", "5.4.b", (("CD permit", "CU pass", "HE pass"), ("BG pass",))),
        (
            "in_area",
            "5.4.c",
            (("CU customs_procedure ?customs_procedure_in_area", "BG weight_class", "HE quarantine"),),
        ),
        ("b2_out", "5.4.d", (("CU pass",), ("BG pass",))),
        ("yard_in", "5.4.đ", (("SYS auto",),)),
        (
            "in_yard",
            "5.4.e",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "5.4.g", (("GC|TX fee ?fee",),)),
        ("yard_out", "5.4.h", (("SYS auto",),)),
    ],
    # Điều 6.2, tiếp tục theo điểm d khoản 2 Điều 5
    "VN-EMPTY-IMPORT": [
        ("b2_in", "6.2.b", (("CU pass",), ("BG pass",))),
        ("yard_in", "6.2.c", ()),
        ("register", "6.2.c", (("CU transshipment",),)),
        (
            "in_yard",
            "5.2.d",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "5.2.đ", (("GC|TX fee ?!fee",),)),
        ("yard_out", "5.2.e", (("SYS auto",),)),
        ("b2_out", "5.2.g", (("CU pass",), ("BG pass",))),
    ],
    # Điều 6.3; bến bãi: Phụ lục III.2
    "VN-EMPTY-RETURN": [
        ("b2_in", "6.3.b", (("CU pass",), ("BG pass",))),
        ("yard_in", "App. III.2", ()),
        ("yard_out", "App. III.2", ()),
        ("b2_out", "6.3.c", (("CU pass",), ("BG pass",))),
    ],
    # Điều 6.4
    "VN-EMPTY-TO-CN": [
        ("b2_in", "6.4.b", (("CU pass",), ("BG pass",))),
        ("b1_out", "6.4.c", (("CD permit",), ("CU pass",), ("HE pass",), ("BG pass",))),
    ],
    # Điều 6.5
    "VN-EMPTY-FROM-CN": [
        ("b1_in", "6.5.b", (("CD permit", "CU pass", "HE pass"), ("BG pass",))),
        ("b2_out", "6.5.c", (("CU pass",), ("BG pass",))),
    ],
    # Điều 6.6, tiếp tục theo điểm d khoản 2 Điều 5
    "VN-EMPTY-FROM-CN-IMPORT": [
        ("b1_in", "6.6.b", (("CD permit", "CU pass", "HE pass"), ("BG pass",))),
        ("yard_in", "6.6.c", ()),
        ("register", "6.6.c", (("CU transshipment",),)),
        (
            "in_yard",
            "5.2.d",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "5.2.đ", (("GC|TX fee ?!fee",),)),
        ("yard_out", "5.2.e", (("SYS auto",),)),
        ("b2_out", "5.2.g", (("CU pass",), ("BG pass",))),
    ],
    # Điều 6.7, tiếp tục theo điểm d khoản 2 Điều 4
    "VN-EMPTY-EXPORT": [
        ("b2_in", "6.7.b", (("CU pass",), ("BG pass",))),
        ("yard_in", "6.7.c", ()),
        ("register", "6.7.c", (("CU transshipment",),)),
        (
            "in_yard",
            "4.2.d",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "4.2.đ", (("GC|TX fee ?!fee",),)),
        ("yard_out", "4.2.e", (("SYS auto",),)),
        ("b1_out", "4.2.g", (("CD permit",), ("CU pass",), ("HE pass",), ("BG pass",))),
    ],
    # Điều 7.2, tiếp tục theo điểm d khoản 2 Điều 4
    "CN-EMPTY-EXPORT": [
        ("b1_in", "7.2.b", (("CD permit", "CU pass", "HE pass"), ("BG pass",))),
        ("yard_in", "7.2.c", ()),
        ("register", "7.2.c", (("CU transshipment",),)),
        (
            "in_yard",
            "4.2.d",
            (
                (
                    "CU storage ?storage",
                    "CU transshipment ?transshipment",
                    "CU goods_type",
                    "BG weight_class",
                    "HE quarantine",
                    "PQ quarantine ?plant_quarantine",
                    "AQ quarantine ?animal_quarantine",
                ),
            ),
        ),
        ("fee", "4.2.đ", (("GC|TX fee ?!fee",),)),
        ("yard_out", "4.2.e", (("SYS auto",),)),
        ("b1_out", "4.2.g", (("CD permit",), ("CU pass",), ("HE pass",), ("BG pass",))),
    ],
    # Điều 7.3: không có kiểm dịch y tế
    "CN-EMPTY-FROM-YARD": [
        ("yard_out", "7.3", ()),
        ("b1_out", "7.3", (("CD permit",), ("CU pass",), ("BG pass",))),
    ],
    # Điều 7.4
    "CN-EMPTY-FROM-INLAND": [
        ("b2_in", "7.4.b", (("CU pass",), ("BG pass",))),
        ("b1_out", "7.4.c", (("CD permit",), ("CU pass",), ("HE pass",), ("BG pass",))),
    ],
}

GATES = {
    "b1_in": ("b1", "into_area"),
    "b1_out": ("b1", "out_of_area"),
    "b2_in": ("b2", "into_area"),
    "b2_out": ("b2", "out_of_area"),
    "yard_in": ("yard_in", "in"),
    "yard_out": ("yard_out", "out"),
}
YARDS = ("yard_in", "yard_out")
LISTED = ("b1_out", "b2_out")
"""Where the Decision says "theo thứ tự sau"."""

REQUIRES = (
    "storage",
    "transshipment",
    "plant_quarantine",
    "animal_quarantine",
    "fee",
    "customs_procedure_in_area",
)
ALL = dict.fromkeys(REQUIRES, True)
NONE = dict.fromkeys(REQUIRES, False)


@dataclass(frozen=True)
class Asked:
    """One confirmation that the Decision asks for at a gate; `group` counts the groups along the whole procedure."""

    step: str
    authority: str
    act: str
    article: str
    group: int


def asked_at(procedure: str, gate: str, requires: dict[str, bool]) -> list[Asked]:
    """Everything asked at a gate, in legal order: of a barrier its own too, of a yard gate only the earlier steps."""
    asked: list[Asked] = []
    group = 0
    for step, article, groups in TABLE[procedure]:
        if step == gate and step in YARDS:
            return asked
        for members in groups:
            group += 1
            for member in members:
                who, what, *condition = member.split()
                key = condition[0].lstrip("?!") if condition else ""
                if not condition or requires.get(key, key == "storage" or condition[0].startswith("?!")):
                    full = article if article.startswith("App.") else f"Art. {article}"
                    asked.append(Asked(step, who, what, f"27/2025 {full}", group))
        if step == gate:
            return asked
    raise AssertionError(f"{procedure} has no {gate}")


BACK: dict[str, dict[str, list[tuple[str, str]]]] = {
    # Khoản 3 Điều 6: không nhận được hàng, quay về qua barie số 02
    "VN-EMPTY-IMPORT": {"yard_out": [], "b2_out": [("CU pass", "6.3.c"), ("BG pass", "6.3.c")]},
    "VN-EMPTY-EXPORT": {"yard_out": [], "b2_out": [("CU pass", "6.3.c"), ("BG pass", "6.3.c")]},
    # Khoản 5 Điều 6
    "VN-EMPTY-FROM-CN-IMPORT": {"yard_out": [], "b2_out": [("CU pass", "6.5.c"), ("BG pass", "6.5.c")]},
    # Khoản 3 Điều 7: không có kiểm dịch y tế
    "CN-EMPTY-EXPORT": {"yard_out": [], "b1_out": [("CD permit", "7.3"), ("CU pass", "7.3"), ("BG pass", "7.3")]},
}
"""An empty that came for goods and got none: what its way back asks for beside its first step."""


def asked_back(procedure: str, gate: str) -> list[Asked]:
    """Everything asked at a gate of an empty that got no goods: its own first barrier, then the way back."""
    step, article, groups = TABLE[procedure][0]
    first = [tuple(member.split()) for members in groups for member in members]
    asked = [Asked(step, who, what, f"27/2025 Art. {article}", 1) for who, what in first]
    back = [(*member.split(), article) for member, article in BACK[procedure][gate]]
    return asked + [Asked(gate, who, what, f"27/2025 Art. {article}", 2) for who, what, article in back]


CASES = [(procedure, step) for procedure, rows in TABLE.items() for step, _, _ in rows if step in GATES]
"""Every gate of every procedure."""
