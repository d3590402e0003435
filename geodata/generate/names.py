"""Invented names and numbers: any likeness to a real person is chance, no such number was ever issued."""

import numpy as np

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾"
    "丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤"
    "尹黎易常武乔贺赖龚文"
)
_FIRST = "建国文志春晓海玉秀俊永德思雨佳明小新金家美丽天东振红立宏成世光少宝云庆福长瑞景宗兴广学凤桂淑"
_SECOND = (
    "军华平伟强芳敏静磊洋艳勇杰涛明超霞刚英飞鹏辉玲萍红梅兰斌龙波宁亮生林峰成娟凯民山江洁莉峥帆"
    "岩松柏安康宇航轩琳颖欣怡悦"
)


def names(rng: np.random.Generator, count: int) -> list[str]:
    """Names of two or three characters, common surnames more often."""
    weight = 1 / np.arange(3, len(_SURNAMES) + 3)
    surname = rng.choice(len(_SURNAMES), count, p=weight / weight.sum())
    first = rng.integers(0, len(_FIRST), count)
    second = rng.integers(0, len(_SECOND), count)
    short = rng.random(count) < 0.18
    return [
        _SURNAMES[s] + ("" if one else _FIRST[a]) + _SECOND[b]
        for s, a, b, one in zip(
            surname.tolist(), first.tolist(), second.tolist(), short.tolist(), strict=True
        )
    ]


def phones(rng: np.random.Generator, count: int) -> list[str]:
    """Eleven digits that begin with 120: no mobile number does, so nobody is rung up by mistake."""
    return [f"120{n:08d}" for n in rng.integers(0, 10**8, count).tolist()]


def id_numbers(rng: np.random.Generator, count: int) -> list[str]:
    """Eighteen digits of the region 999999, which does not exist, without a check digit: nobody's."""
    years, days, serials = (
        rng.integers(1930, 2016, count),
        rng.integers(1, 29, count),
        rng.integers(1, 10**4, count),
    )
    months = rng.integers(1, 13, count)
    parts = zip(years.tolist(), months.tolist(), days.tolist(), serials.tolist(), strict=True)
    return [f"999999{year}{month:02d}{day:02d}{serial:04d}" for year, month, day, serial in parts]
