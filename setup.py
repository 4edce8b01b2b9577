"settings.ini를 읽어 패키지를 꾸립니다. 이름, 버전, 설명, 필요한 패키지는 모두 그 파일에 있습니다."

import re
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(delimiters=["="])
config.read(here / "settings.ini", encoding="utf-8")
cfg = config["DEFAULT"]
name, repository, branch = cfg["lib_name"], cfg["git_url"], cfg["branch"]
status = {"3": "3 - Alpha", "4": "4 - Beta", "5": "5 - Production/Stable"}[cfg["status"]]


def readme():
    "패키지 목록에서도 그림과 링크가 살아 있도록 저장소의 주소를 붙인 README."
    text = (here / "README.md").read_text(encoding="utf-8")
    text = re.sub(r"(!\[[^\]]*\]\()(?!https:)", rf"\g<1>{repository}/raw/{branch}/", text)
    return re.sub(r"((?<!!)\[[^\]]*\]\()(?!https:|#)", rf"\g<1>{repository}/blob/{branch}/", text)


setup(
    name=name,
    version=cfg["version"],
    description=cfg["description"],
    long_description=readme(),
    long_description_content_type="text/markdown",
    author=cfg["author"],
    author_email=cfg["author_email"],
    license_expression=cfg["spdx"],
    keywords=cfg["keywords"],
    url=repository,
    project_urls={
        "Documentation": cfg["doc_host"] + cfg["doc_baseurl"],
        "Source": repository,
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/{branch}/CHANGELOG.md",
    },
    # 글이 읽는 자료도 함께 담습니다: 노트북 하나만 내려받아도 돕니다.
    packages=[*find_packages(include=[name, f"{name}.*"]), f"{name}.data"],
    package_dir={f"{name}.data": "nbs/data"},
    package_data={name: ["py.typed"], f"{name}.data": ["*"]},
    python_requires=f">={cfg['min_python']}",
    install_requires=cfg["requirements"].split(),
    extras_require={extra: cfg[f"{extra}_requirements"].split() for extra in ("nb", "lab", "site", "test", "gpu")},
    classifiers=[
        f"Development Status :: {status}",
        f"Intended Audience :: {cfg['audience']}",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        f"Natural Language :: {cfg['language']}",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        *[f"Programming Language :: Python :: {version}" for version in cfg["python_versions"].split()],
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
