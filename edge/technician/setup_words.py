# ruff: noqa: E501 - one line of words each
"""What `barie setup` says, Vietnamese and English."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "site": ("Mã cửa khẩu (chữ thường, số, gạch nối)", "Id of the site (lower case, digits, dashes)"),
    "name_vi": ("Tên cửa khẩu bằng tiếng Việt", "Name of the site in Vietnamese"),
    "name_en": ("Tên cửa khẩu bằng tiếng Anh", "Name of the site in English"),
    "lanes": ("Có mấy làn trên máy này", "How many lanes does this PC have"),
    "kind": (
        "Làn {n} là: 1 B1 vào, 2 B1 ra, 3 B2 vào, 4 B2 ra, 5 cổng vào bãi, 6 cổng ra bãi",
        "Lane {n} is: 1 B1 in, 2 B1 out, 3 B2 in, 4 B2 out, 5 yard entry, 6 yard exit",
    ),
    "looking": ("Đang tìm camera và bo mạch …", "Looking for cameras and boards …"),
    "camera": ("Địa chỉ RTSP của camera làn {n}", "RTSP address of the camera of lane {n}"),
    "user": ("Tài khoản xem của camera (để trống nếu không có)", "The camera's viewing account (empty: none)"),
    "password": ("Mật khẩu của tài khoản đó", "Its password"),
    "board": ("Bo rơ-le của làn {n}: thiết bị, hoặc địa chỉ Modbus TCP", "Relay board of lane {n}: a device, or a Modbus TCP address"),
    "module": ("Loại mô-đun (số)", "Which module (number)"),
    "lcus": ("bo LCUS USB: không trả lời, không tự ngắt", "LCUS USB relay board: never answers, ends no pulse by itself"),
    "baud": ("Tốc độ đường dây (baud)", "Speed of the line (baud)"),
    "unit": ("Địa chỉ Modbus của mô-đun", "The module's Modbus address"),
    "input": (
        "Đầu vào {item}: kênh và tiếp điểm, o thường mở, c thường đóng, ví dụ 3{contact}, hai tiếp điểm 3{contact}/6 (-: không có)",
        "Input {item}: channel and contact, o normally open, c normally closed, for example 3{contact}, with a second contact 3{contact}/6 (-: none)",
    ),
    "output": ("Đầu ra {item}: kênh (-: không có)", "Output {item}: channel (-: none)"),
    "closes": ("Ai hạ cần: 1 phần mềm này, 2 tủ điều khiển", "Who lowers the arm: 1 this software, 2 its own controller"),
    "set_in_module": ("Đặt trong mô-đun", "To be set in the module"),
    "no_contacts": (
        "Đầu ra bán dẫn, không phải tiếp điểm: cần rơ-le trung gian cho mỗi đầu ra",
        "Transistor outputs, no contacts: an interposing relay for each output",
    ),
    "modes": (
        "Chế độ điều khiển của mọi rơ-le phải là {free} (thanh ghi từ {at}): không đầu vào nào tự đóng rơ-le",
        "The control mode of every relay has to be {free} (registers from {at}): no input may switch a relay by itself",
    ),
    "sensors": ("Cảm biến và công tắc", "Sensors and contacts"),
    "controller": ("Tủ điều khiển barie, đèn", "The barrier's controller, lights"),
    "open_contact": ("thường mở", "normally open"),
    "closed_contact": ("thường đóng", "normally closed"),
    "own_sensors": (
        "Tế bào quang và vòng từ an toàn phải nối vào chính tủ điều khiển nữa: nó là lớp bảo vệ thứ nhất",
        "Photocell and safety loop go into the controller itself as well: it is the first line of protection",
    ),
    "open_under_arm": (
        "Cảm biến dưới cần nên nối thường đóng: đứt dây thì báo là có vật",
        "Wire what is under the arm normally closed: a broken wire then reads as occupied",
    ),
    "interlock": (
        "Lệnh mở và đóng khóa chéo trong tủ điều khiển; mỗi lệnh một đầu vào riêng, không dùng đầu vào từng bước",
        "Open and close interlocked in the controller; to its dedicated inputs, never to a step-by-step input",
    ),
    "walk": ("Kiểm tra từng dây tại chỗ: barie walk {lane} --config {file} --by TÊN", "Prove each wire on the spot: barie walk {lane} --config {file} --by NAME"),
    "walk_sensor": ("Bấm Enter, rồi tác động {item} (s: bỏ qua)", "Press Enter, then work {item}: step on it, break it, press it (s: leave out)"),
    "walk_back": ("Bấm Enter, rồi nhả {item}", "Press Enter, then let go of {item}"),
    "walk_open": ("Không ai ở dưới cần. Enter: MỞ cần (s: bỏ qua)", "Nobody under the arm. Enter: OPEN (s: leave out)"),
    "walk_reversal": (
        "Enter: cần HẠ; khi đang hạ, chắn {item} bằng một cây gậy, không bằng người (s: bỏ qua)",
        "Enter: it comes DOWN; meanwhile interrupt {item} with a rod, never with yourself (s: leave out)",
    ),
    "walk_close": ("Dưới cần trống. Enter: HẠ cần (s: bỏ qua)", "All clear under the arm. Enter: LOWER it (s: leave out)"),
    "capacity": ("Sức chứa của bãi (xe)", "Capacity of the yard (vehicles)"),
    "broker": ("Máy chủ MQTT của trung tâm (để trống: chạy độc lập)", "The centre's MQTT broker (empty: stands alone)"),
    "tls": ("Broker dùng TLS và chứng chỉ? (c/k)", "Does the broker use TLS and certificates? (y/n)"),
    "again": ("chưa đúng, mời nhập lại", "that will not do, please again"),
    "written": ("Đã ghi {it}", "Written: {it}"),
    "key": ("Khóa công khai của cổng, báo cho trung tâm: {it}", "The gate's public key, for the centre: {it}"),
    "doctor": ("Kiểm tra:", "Looking it over:"),
    "next": (
        "Tiếp theo: barie account add ID --config {file} --name TÊN --role guard; systemctl enable --now barie",
        "Next: barie account add ID --config {file} --name NAME --role guard; systemctl enable --now barie",
    ),
}  # fmt: skip


def say(language: str, what: str, /, **values: object) -> str:
    """One line in this language ("vi" or "en")."""
    return WORDS[what][0 if language == "vi" else 1].format(**values)
