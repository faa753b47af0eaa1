"""Which plates are rendered, and how often each kind: two-line and yellow plates well above their share."""

from __future__ import annotations

from random import Random

from models.tools import kinds_cn, kinds_vn
from models.tools.spec import Spec

KINDS = (
    (kinds_vn.vn_long, 20),
    (kinds_vn.vn_short, 16),
    (kinds_vn.vn_bike, 16),
    (kinds_vn.vn_military, 2.2),
    (kinds_vn.vn_foreign, 1.4),
    (kinds_vn.vn_temporary, 1),
    (kinds_cn.cn_small, 22),
    (kinds_cn.cn_large_front, 18),
    (kinds_cn.cn_large_rear, 15),
    (kinds_cn.cn_trailer, 11),
    (kinds_cn.cn_new_energy, 8),
    (kinds_cn.cn_special, 6),
    (kinds_cn.cn_bike, 2),
    (kinds_cn.cn_farm, 1),
)


def draw_spec(r: Random) -> Spec:
    make = r.choices([k for k, _ in KINDS], [w for _, w in KINDS])[0]
    return make(r)
