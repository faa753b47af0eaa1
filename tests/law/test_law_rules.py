"""The rule table is read strictly: whatever is wrong stops the start, with file and line."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from edge import resources
from edge.agent.lane.law import AtGate, Law
from edge.config import LawConfig
from edge.core.identity import Named
from edge.core.law.paper import signers
from edge.core.law.rules import RulesError, parse_rules
from edge.core.law.rules_diff import differences, undeclared
from edge.core.law.terms import REASON_WORDS, SYSTEM, Choices
from edge.core.model import Confirmation
from edge.core.record.expected import expected
from edge.errors import BarieError, ConfigError
from edge.store import Store
from edge.technician import bundle, explain
from edge.technician import rules as rules_command
from edge.technician.explain import Question
from edge.wire import declaration_to_json
from tests.lane.world import lane_config
from tests.law.table import REQUIRES, TABLE
from tests.law.tools import NOW, TABLE_FILE, declared, rules

TEXT = TABLE_FILE.read_text(encoding="utf-8")
PACKAGE = TABLE_FILE.parent.parent / "edge"


def faults(text: str) -> list[str]:
    with pytest.raises(RulesError) as caught:
        parse_rules(text, "procedures.toml")
    return caught.value.faults


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def broken(old: str, new: str) -> tuple[str, int]:
    """The table with the first occurrence replaced, and the line that now is wrong."""
    assert old in TEXT
    return TEXT.replace(old, new, 1), line_of(TEXT, old)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('{ authority = "PQ", act = "quarantine"', '{ authority = "XX", act = "quarantine"', "unknown authority 'XX'"),
        ('authority = "GC|TX"', 'authority = "GC|XX"', "unknown authority 'XX'"),
        ('act = "permit"', 'act = "permission"', "unknown act 'permission'"),
        ('if = "storage"', 'if = "stored"', "unknown key of requires 'stored'"),
        ('unless = "he_at_b1_in=appendix"', 'unless = "he_at_b1_in=article"', "past the default"),
        ('unless = "he_at_b1_in=appendix"', 'unless = "he=appendix"', "past the default"),
        ('block = "auto", article = "27/2025 Art. 4.2.c"', 'block = "auto"', "article is missing"),
        ('article = "27/2025 Art. 4.2.c"', 'article = "  "', "article is missing"),
        ('block = "fee", article = "27/2025 Art. 4.3.d"', 'block = "fees", article = "x"', "unknown block 'fees'"),
        ('step = "b2_in", block = "b2_in", article = "27/2025 Art. 4.2.b"', 'step = "b3"', "unknown step"),
        ('step = "yard_in", passage = true, article', 'step = "yard_in", article', "passage = true"),
        ('step = "yard_in", passage = true', 'step = "b1_in", passage = true', "passage = true"),
        ('continue = "IM-IN", from = "in_yard"', 'continue = "IM-IN", from = "register"', "has that step"),
        ('continue = "IM-IN", from = "in_yard"', 'continue = "IM-INN", from = "in_yard"', "must be a procedure"),
        ('"IM-IN", from = "in_yard"', '"CN-EMPTY-EXPORT", from = "register"', "must be a procedure"),
        ('[block.fee]\norder = "any"', '[block.fee]\norder = "random"', "order must be"),
        ('opens = "BG"', 'opens = "CU"', "stands last"),
        ("kind = \"barrier\"", 'kind = "gate"', "kind must be"),
        ('place = "b1"\n', "", "has place"),
        ("absent_means = true", 'absent_means = "yes"', "true or false"),
        ('values = ["hold", "warn"]', 'values = ["hold"]', "legal default first"),
        ('vi = "Hải quan"', "", "vi is missing"),
        ('en = "Customs"', "en = 3", "en is missing"),
        ('zh = "海关"', 'cn = "海关"', "unknown key 'cn'"),
        ('en = "The declaration is completed"', 'en = "Completed {when}"', "{when} is never filled in"),
        ("[reason.completed]", "[reason.finished]", "never gives"),
        ("format = 1", "format = 2", "format must be 1"),
    ],
)  # fmt: skip
def test_a_fault_stops_the_start_with_file_and_line(old: str, new: str, says: str) -> None:
    text, line = broken(old, new)
    told = faults(text)
    found = [fault for fault in told if says in fault]
    assert found, told
    assert all(re.search(r"[à-ỹđ].* / ", fault) for fault in told), "Vietnamese first, English beside"
    file, number, _ = found[0].split(":", 2)
    assert file == "procedures.toml"
    assert abs(int(number) - line) <= 3  # a missing key is told at its table's head


def test_the_line_of_a_step_and_of_a_need_is_exact() -> None:
    step = '  { step = "yard_out", block = "auto", article = "27/2025 Art. 4.4.d" },'
    text = TEXT.replace(step, step.replace(', article = "27/2025 Art. 4.4.d"', ""))
    assert faults(text) == [
        f"procedures.toml:{line_of(TEXT, step)}: procedure.EX-OUT-PART: "
        "thiếu article, hoặc không phải chữ / article is missing or no text"
    ]
    need = '  { authority = "AQ", act = "quarantine", if = "animal_quarantine" },'
    text = TEXT.replace(need, need.replace("AQ", "ZZ"), 1)
    where = f"procedures.toml:{line_of(TEXT, need)}: block.in_yard_full"
    assert faults(text) == [f"{where}: không có cơ quan 'ZZ' / unknown authority 'ZZ'"]


STEP = '  {{ step = "{0}", block = "{0}", article = "x" }},\n'


@pytest.mark.parametrize(
    ("step", "behind", "says"),
    [
        ("b2_in", '27/2025 Art. 4.2.g" },\n', "stands twice"),
        ("b1_in", '27/2025 Art. 4.2.b" },\n', "no vehicle can come"),
        ("register", '27/2025 Art. 6.4.b" },\n', "no vehicle can come"),
        ("b2_out", 'from = "in_yard", article = "27/2025 Art. 6.2.c" },\n', "behind a continuation"),
    ],
)
def test_a_step_that_cannot_be_reached_stops_the_start(step: str, behind: str, says: str) -> None:
    added = STEP.format(step)
    text = TEXT.replace(behind, behind + added, 1)
    assert any(says in fault and fault.startswith(f"procedures.toml:{line_of(text, added)}:") for fault in faults(text))


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (
            '[block.spare]\norder = "any"\nneeds = [ { authority = "CU", act = "pass" } ]\n',
            "no procedure uses this block",
        ),
        ('[step.spare]\nkind = "work"\nvi = "a"\nen = "b"\n', "no procedure has this step"),
        ('[requires.spare]\nabsent_means = false\nvi = "a"\nen = "b"\n', "no confirmation hangs"),
        ("[colours]\nred = 1\n", "unknown key 'colours'"),
    ],
)
def test_what_nothing_comes_to_stops_the_start(extra: str, says: str) -> None:
    text = TEXT + "\n" + extra
    assert any(says in fault for fault in faults(text))
    assert faults(text)[0].startswith(f"procedures.toml:{line_of(text, extra)}:")


def test_every_fault_is_told_at_once_and_broken_toml_has_its_line() -> None:
    text = TEXT.replace('act = "permit"', 'act = "x"').replace('zh = "海关"', "")
    text = text.replace('article = "27/2025 Art. 5.4.h"', 'article = ""').replace(
        'values = ["off", "on"]', "values = 3"
    )
    assert len(faults(text)) >= 3
    assert "line 3" in faults("format = 1\n\n[[[\n")[0]
    assert faults("")
    assert any("[procedure.…] is missing" in fault for fault in faults("format = 1\n"))


def test_a_sites_choices_are_checked_and_default_to_the_law() -> None:
    with pytest.raises(RulesError) as caught:
        rules().choose({"he_at_b1_out": "never", "colour": "red"}, clock_skew_s=-1)
    assert [fault.split(" = ")[0] for fault in caught.value.faults] == [
        "choice he_at_b1_out",
        "choice colour",
        "clock_skew_s",
    ]
    chosen = rules().choose({"yard_exit": "warn"})
    assert (rules().chosen(chosen, "yard_exit"), rules().chosen(chosen, "he_at_b1_in")) == ("warn", "article")
    assert {key: choice.values[0] for key, choice in rules().choices.items()} == {
        "he_at_b1_out": "article", "he_at_b1_in": "article", "yard_exit": "hold", "yard_passages": "required",
            "smart_lane": "off",
    }  # fmt: skip


def test_the_if_anys_are_those_of_the_contract_and_what_silence_means() -> None:
    assert rules().requires == {key: key in ("storage", "fee") for key in REQUIRES}  # fee: 4.2.đ has no "nếu có"


def test_every_reason_has_its_text_and_every_customs_stop_two_people() -> None:
    assert rules().reasons.keys() == REASON_WORDS.keys()
    two = {code for code in REASON_WORDS if rules().two_people(code)}
    assert two == {"customs_hold", "seal_differs", "seal_broken", "route_wrong", "deadline_passed"}
    assert not rules().two_people("no such reason")


def test_no_procedure_is_named_in_the_code() -> None:
    """The one place that knows procedures is the table."""
    sources = list(PACKAGE.rglob("*.py"))
    assert len(sources) > 20
    named = re.compile(rf"(?<![\w-])({'|'.join(TABLE)})(?![\w-])")
    found = [
        f"{path}: {match.group()}" for path in sources for match in named.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_authority_is_named_in_the_code() -> None:
    """The one place that knows authorities is the table; the gate itself (`SYS`) is of the contract."""
    sources = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js")]
    assert any(path.suffix == ".js" for path in sources)
    named = re.compile(rf"(?<![\w-])({'|'.join(set(rules().authorities) - {SYSTEM})})(?![\w-])")
    found = [
        f"{path}: {match.group()}" for path in sources for match in named.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def with_new_authority() -> str:
    """The table with an authority that no code knows, which holds plates and is asked at barrier 01, outward."""
    head = "[block.b1_out]"
    asks = TEXT.index("needs = [", TEXT.index(head)) + len("needs = [")
    text = TEXT[:asks] + '\n  { authority = "NEW", act = "pass" },' + TEXT[asks:]
    new = '[authority.NEW]\nholds = true\nvi = "Cơ quan mới"\nen = "New authority"\nzh = "新机关"\n\n'
    return text.replace("[authority.SYS]", new + "[authority.SYS]", 1)


def test_a_new_authority_needs_no_code(tmp_path: Path) -> None:
    file = tmp_path / "procedures.toml"
    file.write_text(with_new_authority(), encoding="utf-8")
    law = LawConfig(rules_file=str(file))
    table, choices = Law.read(law)
    with closing(Store.open(tmp_path / "data", site="s", lanes=["b1"], holders=table.holders)) as store:
        store.put_watchlist(json.dumps([{"plate": "29C-123.45", "reason": "hồ sơ", "by": "NEW"}]).encode())
        assert (store.watch("29C12345", customs=True), store.watch("29C12345")) == ("hồ sơ", None)
        seen = Law(table, choices, law, store, lambda: None)
        named = seen.word("authority", "NEW")
        assert (named.vi, named.en) == ("Cơ quan mới", "New authority")
        assert "NEW" in [one.key for one in seen.paper_options(lane_config("b1_out")).signers]
        given = {"step": "b1_out", "authority": "NEW", "act": "pass", "at": "2026-11-20T09:00:00+07:00", "by": "N-1"}
        vehicle = {"role": "vehicle", "plate": "12C11111", "country": "VN"}
        head = {"id": "D", "version": 1, "state": "active", "procedure": "VN-EMPTY-TO-CN", "declared_at": given["at"]}
        declared = {**head, "vehicles": [vehicle], "confirmations": [given]}
        schema = json.loads((PACKAGE.parent / "docs/schemas/declaration.schema.json").read_text(encoding="utf-8"))
        assert list(Draft202012Validator(schema).iter_errors({**declared, "confirmations": [given]})) == []
        store.put_declaration("D", json.dumps({**declared, "confirmations": []}).encode())
        asked = seen.assess(lane_config("b1_out"), AtGate((Named("12C11111", "typed"),))).verdict
        assert ("b1_out", "NEW") in [(one.step, one.authority) for one in asked.missing]
        store.put_declaration("D", json.dumps({**declared, "version": 2}).encode())
        asked = seen.assess(lane_config("b1_out"), AtGate((Named("12C11111", "typed"),))).verdict
        assert ("b1_out", "NEW") not in [(one.step, one.authority) for one in asked.missing]
    assert "NEW" in signers(table)


def test_a_table_has_a_name_dates_and_the_hash_of_its_text() -> None:
    import hashlib

    table = rules().table
    assert (table.name, table.source, table.valid_from) == ("27/2025", "27/2025/QĐ-UBND", "2025-04-05")
    assert rules().sha256 == hashlib.sha256(TABLE_FILE.read_bytes()).hexdigest()


def test_a_byte_order_mark_and_utf_16_are_told_in_their_own_words(tmp_path: Path) -> None:
    text = TABLE_FILE.read_text(encoding="utf-8")
    with pytest.raises(RulesError, match="BOM"):
        parse_rules("\ufeff" + text, "t.toml")
    file = tmp_path / "t.toml"
    file.write_text(text, encoding="utf-16")
    with pytest.raises(ConfigError, match="UTF-16"):
        resources.config_text(file)


@pytest.mark.parametrize("table", ["authority", "act", "choice"])
def test_what_no_confirmation_hangs_on_is_a_fault(table: str) -> None:
    more = 'values = ["a", "b"]\nsource = "x"\n' if table == "choice" else ""
    text = TABLE_FILE.read_text(encoding="utf-8") + f'\n[{table}.NEW]\nvi = "x"\nen = "x"\n{more}'
    with pytest.raises(RulesError, match=f"{table}.NEW"):
        parse_rules(text, "t.toml")


def test_a_diff_says_what_is_asked_no_longer_and_what_is_new() -> None:
    text = TABLE_FILE.read_text(encoding="utf-8")
    newer = text.replace('{ authority = "HE", act = "pass", unless = "he_at_b1_in=appendix" },', "")
    head = '[block.register]\norder = "any"\nneeds = ['
    newer = newer.replace(head, head + '\n  { authority = "TX", act = "fee" },')
    newer = newer[: newer.index("[choice.he_at_b1_in]")] + newer[newer.index("[choice.yard_exit]") :]
    lines = differences(rules(), parse_rules(newer, "new.toml"))
    assert any("no longer asked: IM-IN, b1_in" in line and "Kiểm dịch y tế" in line for line in lines)
    assert any("newly asked: VN-EMPTY-IMPORT, register" in line for line in lines)
    assert "lựa chọn không còn / choice is gone: he_at_b1_in" in lines
    assert differences(rules(), rules()) == []


HE_IN = '{ authority = "HE", act = "pass", unless = "he_at_b1_in=appendix" },'


def without_he_at_b1_in(instead: str) -> str:
    """The table in which nobody asks for health quarantine at barrier 01, inward, by the block of imports."""
    text = TEXT.replace(HE_IN, instead)
    return text[: text.index("[choice.he_at_b1_in]")] + text[text.index("[choice.yard_exit]") :]


def test_deleting_a_confirmation_without_saying_why_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "new.toml"
    file.write_text(without_he_at_b1_in(""), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"IM-IN, b1_in: Kiểm dịch y tế") as caught:
        rules_command.diff(TABLE_FILE, file)
    assert 'without dropped = "why"' in str(caught.value)
    assert "không còn yêu cầu" in capsys.readouterr().out, "the differences are told all the same"
    with pytest.raises(ConfigError, match="IM-IN, b1_in"):
        Law.read(LawConfig(rules_file=str(file)))
    dropped = '{ authority = "HE", act = "pass", dropped = "Quyết định mới, Điều 5" },'
    file.write_text(without_he_at_b1_in(dropped), encoding="utf-8")
    assert rules_command.diff(TABLE_FILE, file) == 1
    table, choices = Law.read(LawConfig(rules_file=str(file)))
    assert "he_at_b1_in" not in table.choices
    assert choices.values == {}, "what this site did not choose is the table's own default"


def test_a_step_goes_with_its_reason_and_a_wider_authority_is_a_deletion_too() -> None:
    fee = next(line for line in TEXT.splitlines() if 'block = "fee", article = "27/2025 Art. 4.3.d"' in line)
    gone = parse_rules(TEXT.replace(fee, ""), "t.toml")
    lost = undeclared(rules(), gone)
    assert lost
    assert all(", fee: " in line for line in lost)
    said = parse_rules(TEXT.replace(fee, '  { step = "fee", dropped = "không còn thu phí" },'), "t.toml")
    assert undeclared(rules(), said) == []
    wider = parse_rules(TEXT.replace('authority = "GC|TX"', 'authority = "GC|TX|CU"'), "t.toml")
    assert undeclared(rules(), wider)
    assert undeclared(wider, rules()) == [], "one of fewer is asked still"


def test_a_block_of_dropped_confirmations_alone_and_a_drop_without_a_reason_are_faults() -> None:
    assert any(
        "dropped is missing" in one
        for one in faults(without_he_at_b1_in('{ authority = "HE", act = "pass", dropped = "" },'))
    )
    only = TEXT.replace('{ authority = "GC|TX", act = "fee"', '{ authority = "GC|TX", act = "fee", dropped = "x"')
    assert any("drop the step" in one for one in faults(only))


def test_of_tables_that_overlap_the_one_of_the_road_and_then_the_newest_is_in_force(tmp_path: Path) -> None:
    def table(name: str, *more: str) -> str:
        lines = "\n".join(more)
        own = f'name = "{name}"\n{lines}'
        text = TEXT.replace('name = "27/2025"', own, 1).replace("valid_from = 2025-04-05\n", "", 1)
        file = tmp_path / f"{name}.toml"
        file.write_text(text, encoding="utf-8")
        return str(file)

    files = [
        table("pilot", "valid_from = 2025-12-01", 'roads = ["1119-1120"]'),
        table("newer", "valid_from = 2026-01-01"),
        table("past", "valid_from = 2026-01-02", "valid_until = 2026-01-03"),
        table("to-come", "valid_from = 2999-01-01"),
    ]
    law = LawConfig(pilot_rules_files=files)
    with closing(Store.open(tmp_path / "data", site="s", lanes=["b1"])) as store:
        seen = Law.load(law, store, lambda: None)
        lane = lane_config("b1_out")
        assert seen.at_lane(lane)[0].table.name == "newer"
        assert seen.at_lane(lane.model_copy(update={"road": "1119-1120"}))[0].table.name == "pilot"
        alone = Law.load(LawConfig(pilot_rules_files=files[:1]), store, lambda: None)
        assert alone.at_lane(lane)[0].table.name == "27/2025"
        judged = alone.assess(lane.model_copy(update={"road": "1119-1120"}), AtGate())
        assert judged.rules != alone.rules.sha256, "the event names the table that judged"
    again = table("again", "valid_from = 2025-12-01", 'roads = ["1119-1120"]')
    with pytest.raises(ConfigError, match="begin alike"):
        Law.pilots(LawConfig(pilot_rules_files=[files[0], again]))


def pilot_table(folder: Path, *changes: tuple[str, str]) -> str:
    """A table of the road 1119-1120, from December 2025 on."""
    file = folder / "pilot.toml"
    own = 'name = "pilot"\nroads = ["1119-1120"]\nvalid_from = 2025-12-01'
    text = TEXT.replace('name = "27/2025"', own, 1).replace("valid_from = 2025-04-05\n", "", 1)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return str(file)


HEAD = '[block.b2_in]\norder = "any"\nopens = "BG"\nneeds = [\n'
HE_TOO = (HEAD, HEAD + '  { authority = "HE", act = "pass" },\n')


def test_explain_and_rules_try_know_pilot_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the gate would say on that lane's road that day."""
    config = gate_config(tmp_path, pilot_table(tmp_path, HE_TOO))
    file = tmp_path / "declaration.json"
    file.write_text(json.dumps(declaration_to_json(declared("VN-EMPTY-TO-CN"))), encoding="utf-8")

    def asked(lane: str, now: str = NOW) -> list[str]:
        question = Question("b2", "into_area", [file], config=config, lane=lane, now=now)
        assert explain.run(question) == 0
        return [m["authority"] for m in json.loads(capsys.readouterr().out)["missing"]]

    assert asked("plain") == ["CU", "BG"]
    assert asked("road") == ["HE", "CU", "BG"]
    assert asked("road", "2025-11-30T12:00:00+07:00") == ["CU", "BG"]
    assert explain.run(Question("b2", "into_area", [file], config=config, lane="none", now=NOW)) == 2
    assert "no lane 'none' at b2" in capsys.readouterr().err


def gate_config(folder: Path, pilot: str) -> Path:
    """Two lanes at B2 into the area: one on the pilot road."""
    lane = """
[[lane]]
id = "{id}"
name = {{ vi = "x", en = "x" }}
place = "b2"
direction = "into_area"
simulated = true
{road}
[[lane.camera]]
id = "{id}-front"
url = "rtsp://127.0.0.1/{id}"
[lane.board]
kind = "modbus_rtu"
port = "/dev/{id}"
inputs = {{ presence = 1, safety_loop = 2, photocell = 3, limit_open = 4, limit_closed = 5 }}
outputs = {{ open = 1, close = 2 }}
"""
    lanes = lane.format(id="plain", road="") + lane.format(id="road", road='road = "1119-1120"')
    file = folder / "gate.toml"
    head = f'[site]\nid = "s"\nname = {{ vi = "x", en = "x" }}\ndata_dir = "{folder}/data"\n'
    file.write_text(f'{head}[law]\npilot_rules_files = ["{pilot}"]\n{lanes}', encoding="utf-8")
    return file


def test_overstays_and_who_is_expected_go_by_the_table_that_was_in_force(tmp_path: Path) -> None:
    """A pilot road's own barrier is no step of the site's own table."""
    pilot = parse_rules(Path(pilot_table(tmp_path, ("b2_in", "p2_in"))).read_text(encoding="utf-8"), "pilot.toml")
    came = Confirmation("p2_in", SYSTEM, "passed", "2026-11-20T08:00:00+07:00", "b2", "gate")
    inside = declared("VN-EMPTY-TO-CN", [came])
    lane = lane_config("b2_in").model_copy(update={"road": "1119-1120"})
    config = LawConfig(overstay_s=3600)
    with closing(Store.open(tmp_path / "data", site="s", lanes=["b2-in"])) as store:
        store.put_declaration(inside.id, json.dumps(declaration_to_json(inside)).encode())
        law = Law(rules(), Choices(), config, store, lambda: None, ((pilot, Choices()),), [lane])
        assert law.table_of(inside) is pilot
        assert [stay.since for stay in law.overstays()] == [came.at]
        (one,) = expected(law.table_of, [inside], NOW, 3600.0)
        assert (one.next_step, one.overstayed) == ("b1_out", True)
        assert law.table_of(declared("EX-IN")) is rules()
        far = replace(came, step="b2_in", at="9999-12-31T23:00:00+00:00")
        assert law.table_of(declared("VN-EMPTY-TO-CN", [far])) is rules()


@pytest.mark.slow
def test_a_bundle_that_deletes_in_silence_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tables"
    shutil.copytree(TABLE_FILE.parent, folder)
    fee = '  { step = "fee", block = "fee", article = "27/2025 Art. 4.2.đ" },'
    (folder / "procedures.toml").write_text(TEXT.replace(fee, ""), encoding="utf-8")
    with pytest.raises(BarieError, match=r"do not load.*without dropped"):
        bundle.loads("tables", folder)
    monkeypatch.setenv("BARIE_CONFIG_DIR", str(folder))
    with pytest.raises(ConfigError, match="không còn yêu cầu mà không ghi dropped"):
        Law.read(LawConfig())
    said = TEXT.replace(fee, '  { step = "fee", dropped = "không còn thu phí" },')
    (folder / "procedures.toml").write_text(said, encoding="utf-8")
    bundle.loads("tables", folder)
    assert Law.read(LawConfig())[0].sha256 != rules().sha256
