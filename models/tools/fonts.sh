#!/bin/sh
# Fetches the faces that the renderer draws with into models/work/fonts (or $1). Licences: models/README.md.
# Needs npm, and on Debian apt-get for the two WenQuanYi faces; Noto CJK comes from the package fonts-noto-cjk.
set -eu
out=${1:-models/work/fonts}
mkdir -p "$out"
out=$(cd "$out" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
while read -r family subset weights; do
    npm pack --silent "@fontsource/$family@5.3.0" >/dev/null
    tar xzf "fontsource-$family-5.3.0.tgz"
    for weight in $weights; do
        cp "package/files/$family-$subset-$weight-normal.woff" "$out/$family-$weight.woff"
    done
    cp package/LICENSE "$out/$family.LICENSE"
    rm -rf package
done <<END
barlow-condensed latin 400 500 600 700
barlow latin 500 600
barlow-semi-condensed latin 500 600
saira-condensed latin 500 600
saira-extra-condensed latin 500 600
bebas-neue latin 400
oswald latin 300 400 500
roboto-condensed latin 500 700
antonio latin 500 600
fjalla-one latin 400
league-gothic latin 400
big-shoulders-text latin 600
fira-sans-extra-condensed latin 500
fira-sans-condensed latin 500
ubuntu-condensed latin 400
asap-condensed latin 600
archivo-narrow latin 500 600
ibm-plex-sans-condensed latin 500
share-tech latin 400
noto-sans-sc chinese-simplified 500 700 900
zcool-qingke-huangyou chinese-simplified 400
END
for face in zenhei microhei; do
    apt-get download "fonts-wqy-$face" >/dev/null
    dpkg -x fonts-wqy-"$face"_*.deb "wqy-$face"
    find "wqy-$face" -name "wqy-$face.ttc" -exec cp {} "$out/" \;
done
test -f /usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc || echo "install fonts-noto-cjk" >&2
ls "$out"
