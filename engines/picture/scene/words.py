"""The words the sketch painter knows, in English and Chinese, and the concepts they stand for.

A line is `concepts: english words / chinese words`. Words of several parts are joined by "_". A concept is
"group:value"; "=colour" behind it is the colour it has unless another is said. Plurals in -s need no entry.
"""

from __future__ import annotations

from functools import cache

_TABLE = """
time:sunrise: sunrise dawn daybreak early_morning morning / 日出 黎明 清晨 早晨 早上 晨曦 朝霞 拂晓 旭日
time:day: day daytime noon midday afternoon daylight / 白天 中午 正午 下午 白昼 日间
time:sunset: sunset sundown evening golden_hour / 日落 夕阳 傍晚 黄昏 晚霞 落日 斜阳
time:dusk: dusk twilight nightfall blue_hour gloaming / 暮色 薄暮 暮光 入夜
time:night: night nighttime midnight nocturnal / 夜晚 夜 夜里 晚上 午夜 深夜 夜空 夜间 夜色 夜景
weather:clear: clear cloudless sunny clear_sky / 晴 晴朗 晴天 晴空 万里无云
weather:cloudy: cloud cloudy overcast / 云 多云 白云 阴天 乌云 云彩
weather:storm: storm stormy thunderstorm lightning thunder tempest / 暴风雨 风暴 雷雨 雷电 闪电 打雷 狂风暴雨 雷暴
weather:rain: rain rainy raining drizzle shower / 雨 下雨 雨天 细雨 大雨 雨中 小雨
weather:snow: snowing snowfall falling_snow blizzard snowstorm / 下雪 飘雪 大雪 雪花 暴风雪 雪天
weather:fog: fog foggy mist misty haze hazy / 雾 大雾 薄雾 雾气 雾霭 迷雾 云雾
sky:sun: sun sunlight sunshine / 太阳 阳光 红日
sky:moon: moon full_moon moonlight moonlit / 月亮 月 满月 圆月 月光 明月 月色
sky:crescent: crescent crescent_moon half_moon new_moon / 弯月 月牙 新月 残月
sky:stars: star starry starlight starlit / 星星 星 星空 繁星 星光 满天星 满天星空
sky:aurora: aurora northern_light polar_light / 极光 北极光
sky:milkyway: milky_way milkyway / 银河
sky:rainbow: rainbow / 彩虹
sky:itself: sky skies horizon heaven / 天空 天 天际 天边
land:mountains: mountain peak alp alpine summit range cliff mount / 山 高山 山脉 山峰 群山 大山 远山 青山 山上
land:mountains trait:snowy: snowcapped snow_capped snow_covered_mountain / 雪山 雪峰
land:hills: hill hilly rolling countryside / 丘陵 山坡 小山 山丘 乡村 田园
land:forest: forest wood woodland jungle / 森林 树林 林 林海 丛林
land:desert: desert dune sahara sand_dune / 沙漠 沙丘 戈壁 大漠
land:sea: sea ocean seascape wave_of_the_sea / 海 大海 海洋 海面 海上 海水
land:lake: lake pond water lagoon / 湖 湖泊 湖水 湖面 池塘 湖边
land:river: river stream creek brook / 河 河流 江 溪 小溪 小河 河边 江边 溪流
land:city: city skyline skyscraper town downtown cityscape building metropolis / 城市 都市 天际线 摩天楼 大楼 高楼 城
land:meadow: meadow grassland field grass prairie lawn pasture / 草地 草原 田野 原野 草坪 草
land:meadow thing:flowers=purple: lavender_field / 薰衣草田 薰衣草
land:beach: beach shore seaside coast seashore / 海滩 沙滩 海边 海岸
land:volcano: volcano lava eruption erupting / 火山 熔岩 岩浆
land:island: island isle / 岛 小岛 海岛 岛屿
land:tundra: tundra snowfield snow_field arctic / 雪原 雪地 冰原 雪野
season:spring: spring springtime / 春天 春 春季 春日
season:summer: summer summertime / 夏天 夏 夏季 夏日
season:autumn: autumn fall autumnal / 秋天 秋 秋季 秋日
season:winter: winter wintry / 冬天 冬 冬季 冬日
trait:snowy: snow snowy snow_covered ice icy frozen / 雪 积雪 白雪 冰雪 冰
trait:calm: calm still_water quiet peaceful serene tranquil mirror / 平静 宁静 安静
thing:boat: boat sailboat ship yacht sailing sail / 船 帆船 小船 舟 渔船 小舟 帆
thing:lighthouse: lighthouse / 灯塔
thing:house: house cabin hut cottage home farmhouse barn village / 房子 小屋 木屋 屋 房屋 茅屋 村庄 村 小房子
thing:tree: tree oak / 树 大树 树木
thing:tree=orange: maple autumn_tree / 枫树 枫叶 红叶
thing:pines: pine fir pine_tree fir_tree spruce conifer / 松树 松 杉树
thing:palms: tropical tropic palm palm_tree coconut_tree / 棕榈 棕榈树 椰子树 椰树
thing:cherry: cherry_tree cherry_blossom sakura blossom plum_blossom peach_blossom / 樱花 樱花树 樱树 桃花 梅花 桃树
thing:flowers: flower wildflower bloom daisies daisy / 花 花朵 鲜花 野花 花海 花田
thing:flowers=red: rose tulip poppy poppies carnation / 玫瑰 郁金香 牡丹 月季
thing:flowers=yellow: sunflower daffodil / 向日葵 油菜花
thing:flowers=white: lily lilies jasmine / 百合 茉莉
thing:birds: bird seagull gull geese / 鸟 海鸥 飞鸟 大雁 鸟儿
thing:pyramids: pyramid / 金字塔
thing:cactus: cactus cacti cactuses / 仙人掌
thing:bridge: bridge stone_bridge wooden_bridge / 桥 石桥 拱桥
thing:pagoda: pagoda temple / 塔 宝塔 寺庙 寺 庙
thing:balloon: balloon hot_air_balloon / 热气球 气球
thing:path: path road trail / 小路 路 道路 山路
person:woman: woman lady female women queen mother / 女人 女士 女性 女子 妇女 女 母亲
person:man: man gentleman male men guy king father / 男人 男士 男性 男子 男 父亲
person:woman age:young: girl / 女孩 姑娘 少女 女孩子 女生
person:man age:young: boy / 男孩 少年 男孩子 男生 小伙子
person:woman age:old: grandmother granny / 奶奶 老奶奶 外婆
person:man age:old: grandfather / 爷爷 老爷爷 外公
person:any: person face portrait people human someone / 人 人物 肖像 头像 脸 面孔 画像
age:old: old elderly aged / 老 年老 老年
age:young: young youthful / 年轻 青年
hair:itself: hair haired hairstyle / 头发 发 发色
hair:long: long_hair long_haired / 长发 长头发
hair:short: short_hair short_haired / 短发 短头发
hair:curly: curly curl curly_hair wavy_hair / 卷发 卷头发
hair:bun: bun / 发髻 丸子头
hair:bald: bald / 光头 秃头
hair:itself=yellow: blonde blond / 金发
size:long: long / 长
size:short: short / 短
mood:smiling: smiling smile happy laughing cheerful joyful grinning / 微笑 笑 笑容 开心 快乐 高兴 大笑
mood:sad: sad unhappy crying melancholy / 悲伤 难过 伤心 忧伤
mood:surprised: surprised astonished amazed / 惊讶 吃惊 惊奇
mood:neutral: neutral serious / 严肃
wear:glasses: glasses spectacles eyeglasses / 眼镜
wear:sunglasses: sunglasses / 墨镜 太阳镜
wear:hat: hat cap / 帽子 帽
wear:beard: beard bearded moustache mustache / 胡子 胡须
wear:shirt: shirt dress sweater jacket coat blouse jumper t-shirt clothes / 衬衫 衣服 毛衣 外套 裙子 连衣裙
wear:earrings: earring / 耳环
kind:still: still_life bouquet / 静物 花束
thing:vase: vase / 花瓶 瓶子
thing:table=brown: wooden_table wooden_desk / 木桌 木桌子
thing:table: table desk tabletop / 桌子 桌 桌上 桌面
thing:candle: candle / 蜡烛
thing:cup: cup mug teacup / 杯子 茶杯 杯 水杯
thing:bowl: bowl / 碗
fruit:apple=red: apple / 苹果
fruit:orange=orange: oranges tangerine mandarin / 橙子 橘子
fruit:lemon=yellow: lemon / 柠檬
fruit:pear=green: pear / 梨 梨子
fruit:plum=purple: plum / 李子
fruit:cherry=red: cherries / 樱桃
fruit:mixed: fruit / 水果
kind:space: space outer_space cosmos universe galactic / 太空 宇宙 外太空
cosmos:planet: planet saturn jupiter mars / 行星 星球 土星 木星 火星
cosmos:rings: ring ringed / 光环 环 星环
cosmos:nebula: nebula / 星云
cosmos:galaxy: galaxy galaxies / 星系
kind:abstract: abstract pattern / 抽象 图案 花纹
shape:waves: wave wavy / 波浪 波纹 海浪 浪
shape:circles: circle dot / 圆 圆圈 圆点
shape:stripes: stripe striped / 条纹
shape:marble: marble marbled / 大理石
shape:spiral: spiral swirl vortex / 螺旋 漩涡
shape:mosaic: mosaic stained_glass / 马赛克 彩色玻璃 彩绘玻璃
place:background: background backdrop / 背景
colour:red: red crimson scarlet ruby / 红 红色 赤 火红 赤红
colour:orange: orange amber / 橙 橙色 橘色 橘红
colour:yellow: yellow / 黄 黄色
colour:golden: golden gold / 金 金色 金黄 金黄色
colour:green: green emerald / 绿 绿色 碧绿 翠绿
colour:teal: teal turquoise cyan / 青 青色 碧
colour:blue: blue azure navy / 蓝 蓝色 湛蓝 蔚蓝 深蓝 浅蓝
colour:purple: purple violet lavender / 紫 紫色
colour:pink: pink rosy magenta / 粉 粉色 粉红 粉红色
colour:white: white / 白 白色
colour:black: black / 黑 黑色
colour:brown: brown / 棕 棕色 褐色
colour:gray: gray grey silver / 灰 灰色 银色
count:1: one single / 一个 一座 一只 一条 一棵 一朵 一艘 一栋 一间 一颗 一位 一轮 一张 一幅
count:2: two pair couple both / 两 二 一对 双
count:3: three / 三
count:4: four / 四
count:5: five several few / 五 几 数
count:6: six many lots / 六 许多 很多
count:7: seven / 七
count:8: eight dozen / 八
no: no without not never none / 没有 无 不要 不带 别
is: is are / 是 为
break: with but under over above behind beside near / 有 带
"""

# Words that say nothing of what is in the picture.
_GLUE_ENGLISH_WORDS = """
a an the of in on at by and or to from into onto for as it its this that these those there here then while some any very
really so such much more most be was were has have had having through across along around between among beneath below up
down out off outside inside towards against during before after which who whose his her their my our your i we you me us
he she they please draw paint show create make generate give picture image painting drawing sketch view scene landscape
scenery illustration cartoon styled style featuring showing depicting containing wearing wears wear standing sitting nor
too also just only big small large little tiny huge great beautiful pretty nice lovely distant far front left right top
middle centre center full filled lit light lights reflected reflecting reflection reflections set shining glowing rising
setting covered coloured colored colour color colorful colourful bright dark deep soft warm cold cool wild high low tall
"""
_GLUE_CHINESE_WORDS = """
以及 旁边 下面 上面 前面 后面 里面 中间 远处 近处 之间 周围 一幅 一张 图片 图画 风景 画面 景色 卡通 插画 场景
请画 画 请 给 我 生成 绘制 创作 图 幅 张
的 地 得 与 和 跟 及 或 在 里 中 上 下 边 旁 了 着 之 前 后 内 外 一 个 座 条 只 棵 朵
艘 栋 间 颗 位 轮 片 道 些 大 小 美丽 漂亮 美 很 非常 那 这 它 他 她 们 从 到 向 对 被 把 也 都 就 色 穿 戴 面 戴着 穿着
"""
_GLUE_ENGLISH = frozenset(_GLUE_ENGLISH_WORDS.split())
_GLUE_CHINESE = tuple(_GLUE_CHINESE_WORDS.split())

# Signs that speak for themselves.
_EMOJI = {
    "🌅": "time:sunrise",
    "🌇": "time:sunset land:city",
    "🌆": "time:dusk land:city",
    "🌃": "time:night land:city",
    "🌄": "time:sunrise land:mountains",
    "🌙": "sky:crescent",
    "🌛": "sky:crescent",
    "🌕": "sky:moon",
    "⭐": "sky:stars",
    "🌟": "sky:stars",
    "🌌": "time:night sky:milkyway",
    "☀": "sky:sun",
    "🌞": "sky:sun",
    "☁": "weather:cloudy",
    "🌧": "weather:rain",
    "⛈": "weather:storm",
    "🌩": "weather:storm",
    "❄": "weather:snow",
    "🌨": "weather:snow",
    "🌫": "weather:fog",
    "🌈": "sky:rainbow",
    "⛰": "land:mountains",
    "🏔": "land:mountains trait:snowy",
    "🗻": "land:mountains trait:snowy",
    "🌋": "land:volcano",
    "🏜": "land:desert",
    "🏖": "land:beach",
    "🏝": "land:island",
    "🌊": "land:sea",
    "🏙": "land:city",
    "🌲": "thing:pines",
    "🌳": "thing:tree",
    "🌴": "thing:palms",
    "🌵": "thing:cactus",
    "🌸": "thing:cherry",
    "🌷": "thing:flowers=red",
    "🌹": "thing:flowers=red",
    "🌻": "thing:flowers=yellow",
    "🌺": "thing:flowers=pink",
    "🏠": "thing:house",
    "🏡": "thing:house",
    "⛵": "thing:boat",
    "🚢": "thing:boat",
    "🐦": "thing:birds",
    "🎈": "thing:balloon",
    "🪐": "cosmos:planet cosmos:rings",
    "🏺": "thing:vase",
    "🍎": "fruit:apple=red",
    "🍊": "fruit:orange=orange",
    "🍋": "fruit:lemon=yellow",
    "🍐": "fruit:pear=green",
    "🍒": "fruit:cherry=red",
}

# Traditional characters of the words above.
TRADITIONAL = str.maketrans(
    "畫風雲樹島嶼燈陽極綠紅藍黃頭髮鬍鬚橋鳥霧閃電灘銀園環個兩與裡裏邊張隻條長鏡傷驚訝蘋靜檸圖請給創繪點圓紋觀遠處棟間顆輪"
    "飛無夾鮮開樂笑難過莊葉楓舊漢溝線鬱陰輕鐵壯麗詩門濃煙馬賽鷗寶廟雁氣熱蠟燭雜蒼漠盤帶戴雙數許對穿",
    "画风云树岛屿灯阳极绿红蓝黄头发胡须桥鸟雾闪电滩银园环个两与里里边张只条长镜伤惊讶苹静柠图请给创绘点圆纹观远处栋间颗轮"
    "飞无夹鲜开乐笑难过庄叶枫旧汉沟线郁阴轻铁壮丽诗门浓烟马赛鸥宝庙雁气热蜡烛杂苍漠盘带戴双数许对穿",
)

Concepts = tuple[str, ...]


@cache
def english() -> dict[tuple[str, ...], Concepts]:
    """Concepts by English words, one key for each run of words."""
    return {tuple(word.split("_")): concepts for concepts, word in _entries(0)}


@cache
def chinese() -> dict[str, Concepts]:
    """Concepts by Chinese words and signs; words that say nothing have no concepts."""
    found: dict[str, Concepts] = dict.fromkeys(_GLUE_CHINESE, ())
    found.update({word: concepts for concepts, word in _entries(1)})
    found.update({sign: tuple(concepts.split()) for sign, concepts in _EMOJI.items()})
    return found


def is_glue(word: str) -> bool:
    """Whether an English word says nothing of what is in the picture."""
    return word in _GLUE_ENGLISH


def _entries(language: int) -> list[tuple[Concepts, str]]:
    found = []
    for line in _TABLE.strip().splitlines():
        concepts, _, words = line.partition(": ")
        found += [(tuple(concepts.split()), word) for word in words.split("/")[language].split()]
    return found
