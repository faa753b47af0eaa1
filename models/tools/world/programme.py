"""The sample clips as data. Every plate is invented."""

from __future__ import annotations

from models.tools.world import sheets
from models.tools.world.films import FAR, STOP, Actor, Film, opening, through
from models.tools.world.sheets import YELLOW
from models.tools.world.weather import Look

TRACTOR = sheets.vn_long("12C-286.19", YELLOW)
TRAILER = sheets.vn_short("12R", "017.42", YELLOW)
BOX_CN, TWO_CN = sheets.cn_long("桂FB7153"), sheets.cn_two("桂F39A26")
CAR_EV, BUS_VN = sheets.cn_energy("桂FD58274"), sheets.vn_long("29B-304.67")
OUT = ("b1", "out_of_area")
IN = ("b1", "into_area")

FILMS = (
    Film(
        "b1-out-tractor-front",
        *OUT,
        14.4,
        (Actor("tractor", through(0.5, 5.0, 7.6, 13.4), {"main": TRACTOR}),),
        "Vietnamese tractor with a container, one line on yellow; the front camera of a lane with two",
        opening(7.6, 12.4),
    ),
    Film(
        "b1-out-tractor-rear",
        *OUT,
        14.4,
        (Actor("rear", ((0.5, -19.0), (5.0, 7.0), (7.6, 7.0), (13.4, 40.0)), {"main": TRAILER}),),
        "the same passage from behind: the trailer's two lines",
        None,
        Look(starts="09:10:04"),
        role="rear",
    ),
    Film(
        "b1-in-cn-two-line-rear",
        *IN,
        11.6,
        (Actor("tail", ((0.6, -10.0), (4.0, 7.0), (6.8, 7.0), (11.0, 38.0)), {"main": TWO_CN}),),
        "Chinese tipper from behind, large vehicle's two lines",
        None,
        Look(starts="10:21:40"),
        role="rear",
    ),
    Film(
        "b1-in-new-energy",
        *IN,
        10.4,
        (Actor("car", through(0.4, 4.2, 6.4, 9.4, -6.0), {"main": CAR_EV}),),
        "Chinese car, new energy: green, eight characters",
        opening(6.4, 8.6),
        Look(starts="10:44:09"),
    ),
    Film(
        "b1-out-night",
        *OUT,
        13.0,
        (Actor("box", through(0.6, 5.2, 7.8, 12.0, -9.0), {"main": sheets.vn_long("12C-740.58", YELLOW)}),),
        "night, headlights into the lens",
        opening(7.8, 11.0),
        Look("night", noise=5.0, starts="22:03:51"),
    ),
    Film(
        "b1-in-rain",
        *IN,
        12.0,
        (Actor("tractor", through(0.5, 4.8, 7.0, 11.6), {"main": sheets.cn_long("云A6R825")}, tint=(0.3, 0.8, 3.2)),),
        "rain on a wet road, Chinese yellow one line",
        opening(7.0, 11.0),
        Look("rain", noise=3.5, blur_px=0.8, starts="16:30:12"),
    ),
    Film(
        "b1-out-backlight",
        *OUT,
        12.0,
        (Actor("bus", through(0.5, 4.8, 7.0, 11.6, -12.0), {"main": BUS_VN}),),
        "a low sun before the camera, bus, white one line",
        opening(7.0, 11.0),
        Look("backlight", starts="17:11:33"),
    ),
    Film(
        "b1-out-queue",
        *OUT,
        29.6,
        (
            Actor(
                "box",
                ((0, 12.0), (1.6, 12.0), (3.4, STOP), (6.0, STOP), (9.4, -9.0)),
                {"main": sheets.vn_long("12C-511.36", YELLOW)},
            ),
            Actor(
                "tractor",
                (
                    (0, 23.2),
                    (1.9, 23.2),
                    (3.7, 19.2),
                    (6.8, 19.2),
                    (9.6, 14.0),
                    (11.2, 14.0),
                    (13.6, STOP),
                    (15.4, STOP),
                    (20.4, -17.0),
                ),
                {"main": sheets.cn_long("桂F90D47")},
            ),
            Actor(
                "car",
                (
                    (0, 42.5),
                    (2.2, 42.5),
                    (4.2, 38.6),
                    (7.2, 38.6),
                    (10.0, 33.2),
                    (11.6, 33.2),
                    (14.2, 27.2),
                    (16.0, 27.2),
                    (19.0, 16.0),
                    (20.4, 16.0),
                    (22.6, STOP),
                    (24.8, STOP),
                    (28.0, -6.0),
                ),
                {"main": sheets.vn_long("30K-829.05")},
            ),
        ),
        "a queue of three that creeps up and is let through one by one",
        (
            (4.1, 0),
            (5.8, 1),
            (9.2, 1),
            (10.9, 0),
            (13.5, 0),
            (15.2, 1),
            (20.2, 1),
            (21.9, 0),
            (22.9, 0),
            (24.6, 1),
            (27.4, 1),
            (29.1, 0),
        ),
        Look(starts="11:02:45"),
    ),
    Film(
        "b1-out-reversing",
        *OUT,
        13.6,
        (Actor("bus", ((0.5, FAR), (4.6, STOP), (7.4, STOP), (12.6, FAR)), {"main": sheets.vn_long("29B-418.93")}),),
        "a bus comes to the stop line, is not let through, and reverses out",
        ((0, 0),),
        Look(starts="13:25:18"),
    ),
    Film(
        "b1-out-two-plates",
        *OUT,
        12.8,
        (
            Actor(
                "tractor",
                through(0.5, 4.8, 7.4, 12.4),
                {"left": sheets.vn_long("15C-362.84", YELLOW), "right": sheets.cn_long("桂FK2095")},
            ),
        ),
        "a Vietnamese and a Chinese plate on one bumper",
        opening(7.4, 11.8),
        Look(starts="08:15:02"),
    ),
    Film(
        "b1-in-tailgating",
        *IN,
        13.6,
        (
            Actor("box", through(0.4, 4.0, 6.2, 9.6, -9.0), {"main": sheets.cn_long("桂F6803K")}),
            Actor(
                "car",
                ((1.2, 44.0), (5.2, 19.5), (6.8, 19.0), (8.2, 13.0), (10.0, 7.6), (12.4, -6.0)),
                {"main": sheets.vn_long("12A-095.71")},
            ),
        ),
        "a car slips through behind a truck while the boom is up",
        opening(6.2, 12.0),
        Look(starts="14:40:27"),
    ),
    Film(
        "b1-out-parked",
        *OUT,
        12.0,
        (
            Actor("box", ((0, 14.6), (12, 14.6)), {"main": sheets.vn_long("98C-207.53")}, dx=4.0),
            Actor(
                "tractor",
                through(0.5, 4.8, 7.0, 11.6),
                {"main": sheets.vn_long("12C-663.90", YELLOW)},
                tint=(0.75, 1.2, 0.9),
            ),
        ),
        "a truck is parked beside the lane with its plate in view; the region leaves it out",
        opening(7.0, 11.0),
        Look(starts="15:05:55"),
        ((0.0, 0.15), (0.55, 0.15), (0.72, 0.55), (0.85, 1.0), (0.0, 1.0)),
    ),
    Film(
        "b1-out-painted",
        *OUT,
        11.6,
        (
            Actor(
                "tail",
                ((0.6, -10.0), (4.0, 7.0), (6.8, 7.0), (11.0, 38.0)),
                {"main": sheets.vn_short("12C", "154.27", YELLOW), "gate": sheets.painted("12C-154.27")},
            ),
        ),
        "the number is painted on the tailgate as well, as the road rules ask",
        None,
        Look(starts="09:52:10"),
        role="rear",
    ),
    Film(
        "b1-in-no-plate",
        *IN,
        10.8,
        (Actor("box", through(0.5, 4.4, 6.6, 10.2, -9.0)),),
        "a truck without a plate",
        opening(6.6, 9.6),
        Look(starts="12:08:36"),
    ),
    Film(
        "b1-out-motorbike",
        *OUT,
        12.0,
        (
            Actor("box", through(0.5, 4.6, 7.0, 11.0, -9.0), {"main": sheets.vn_long("12H-018.46", YELLOW)}),
            Actor("bike", ((3.0, FAR), (7.4, 6.0), (8.8, 0.5))),
            Actor("walker", ((5.0, 9.4), (12.0, 9.0))),
        ),
        "a motorbike squeezes past a waiting truck, a guard stands at the kerb",
        opening(7.0, 10.2),
        Look(starts="07:45:20"),
    ),
    Film(
        "b1-in-shaken",
        *IN,
        11.6,
        (Actor("tractor", through(0.5, 4.6, 6.8, 11.2), {"main": sheets.cn_long("贵C52N08")}, tint=(0.8, 0.85, 0.9)),),
        "a camera on a pole that swings",
        opening(6.8, 10.6),
        Look(shake_px=7.0, starts="16:02:14"),
    ),
    Film(
        "b1-out-bad-stream",
        *OUT,
        16.0,
        (Actor("car", through(1.0, 5.4, 10.4, 13.6, -6.0), {"main": sheets.vn_long("30G-471.52")}),),
        "the stream freezes, drops frames, and changes its size to 960x540 and back",
        opening(10.4, 12.8),
        Look(starts="18:20:00"),
        fault="bad-stream",
    ),
)
