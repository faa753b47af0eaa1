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
while read -r family weights; do
    npm pack --silent "@fontsource/$family@5.3.0" >/dev/null
    tar xzf "fontsource-$family-5.3.0.tgz"
    for weight in $weights; do
        cp "package/files/$family-latin-$weight-normal.woff" "$out/$family-$weight.woff"
    done
    cp package/LICENSE "$out/$family.LICENSE"
    rm -rf package
done <<END
barlow-condensed 400 500 600 700
barlow 500 600
barlow-semi-condensed 500 600
saira-condensed 500 600
saira-extra-condensed 500 600
bebas-neue 400
oswald 300 400 500
roboto-condensed 500 700
antonio 500 600
fjalla-one 400
league-gothic 400
END
for face in zenhei microhei; do
    apt-get download "fonts-wqy-$face" >/dev/null
    dpkg -x fonts-wqy-"$face"_*.deb "wqy-$face"
    find "wqy-$face" -name "wqy-$face.ttc" -exec cp {} "$out/" \;
done
test -f /usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc || echo "install fonts-noto-cjk" >&2
ls "$out"
