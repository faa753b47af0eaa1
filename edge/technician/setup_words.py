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
