"""The reader's characters. The order is part of the weights: append, never reorder."""

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SUFFIXES = "挂学警港澳领使应急"
DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BLANK = "_"
ALPHABET = BLANK + DIGITS + LETTERS + "Đ" + PROVINCES + SUFFIXES
INDEX = {character: i for i, character in enumerate(ALPHABET)}

LAYOUTS = ("one_line", "two_line")
COUNTRIES = ("VN", "CN")
COLOURS = ("white", "yellow", "blue", "green", "red", "black")
