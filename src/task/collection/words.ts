/** Words that narrow a search, English and Russian, a pair a word: what photos show, where, when and how. */
export const words: readonly { readonly en: string; readonly ru: string }[] = `
people=люди|person=человек|man=мужчина|woman=женщина|child=ребёнок|boy=мальчик|girl=девочка|baby=младенец|couple=пара|family=семья
crowd=толпа|friends=друзья|portrait=портрет|face=лицо|smile=улыбка|hands=руки|back view=вид со спины|old person=пожилой человек|group=группа|selfie=селфи
dog=собака|puppy=щенок|cat=кошка|kitten=котёнок|horse=лошадь|cow=корова|sheep=овца|bird=птица|duck=утка|goose=гусь
swan=лебедь|gull=чайка|fish=рыба|butterfly=бабочка|insect=насекомое|bear=медведь|deer=олень|rabbit=кролик|elephant=слон|lion=лев
monkey=обезьяна|snake=змея|frog=лягушка|turtle=черепаха|pet=питомец|wild animal=дикое животное
sea=море|beach=пляж|sand=песок|lake=озеро|river=река|waterfall=водопад|pool=бассейн|waves=волны|water=вода|island=остров
mountains=горы|hill=холм|rocks=скалы|cliff=обрыв|canyon=каньон|desert=пустыня|valley=долина|cave=пещера|volcano=вулкан|path=тропа
forest=лес|trees=деревья|grass=трава|meadow=луг|field=поле|garden=сад|park=парк|flowers=цветы|leaves=листья|bush=куст
sky=небо|clouds=облака|sun=солнце|sunset=закат|sunrise=рассвет|night=ночь|stars=звёзды|moon=луна|rain=дождь|fog=туман
snow=снег|ice=лёд|storm=гроза|rainbow=радуга|shadow=тень|reflection=отражение|winter=зима|spring=весна|summer=лето|autumn=осень
city=город|street=улица|road=дорога|bridge=мост|building=здание|house=дом|skyscraper=небоскрёб|tower=башня|castle=замок|church=церковь
temple=храм|ruins=руины|square=площадь|market=рынок|shop=магазин|restaurant=ресторан|cafe=кафе|bar=бар|hotel=гостиница|museum=музей
station=вокзал|airport=аэропорт|harbour=порт|stadium=стадион|school=школа|office=офис|factory=завод|farm=ферма|village=деревня|playground=детская площадка
room=комната|kitchen=кухня|bedroom=спальня|bathroom=ванная|living room=гостиная|window=окно|door=дверь|stairs=лестница|wall=стена|floor=пол
table=стол|chair=стул|sofa=диван|bed=кровать|bench=скамейка|lamp=лампа|candle=свеча|mirror=зеркало|clock=часы|books=книги
car=машина|truck=грузовик|bus=автобус|train=поезд|tram=трамвай|bicycle=велосипед|motorcycle=мотоцикл|boat=лодка|ship=корабль|plane=самолёт
helicopter=вертолёт|tractor=трактор|traffic=движение на дороге|train tracks=рельсы|fence=забор|sign=вывеска|traffic light=светофор|fountain=фонтан|statue=статуя|flag=флаг
food=еда|bread=хлеб|cake=торт|fruit=фрукты|apple=яблоко|berries=ягоды|vegetables=овощи|meat=мясо|soup=суп|pizza=пицца
coffee=кофе|tea=чай|wine=вино|beer=пиво|bottle=бутылка|glass=стакан|cup=чашка|plate=тарелка|breakfast=завтрак|picnic=пикник
hat=шапка|helmet=шлем|glasses=очки|dress=платье|suit=костюм|jacket=куртка|swimsuit=купальник|shoes=обувь|uniform=форма|bag=сумка
backpack=рюкзак|umbrella=зонт|ball=мяч|toy=игрушка|balloon=воздушный шар|guitar=гитара|piano=пианино|camera=фотоаппарат|phone=телефон|computer=компьютер
wedding=свадьба|birthday=день рождения|party=праздник|concert=концерт|parade=парад|fireworks=салют|Christmas tree=новогодняя ёлка|campfire=костёр|tent=палатка|dance=танец
football=футбол|basketball=баскетбол|tennis=теннис|baseball=бейсбол|swimming=плавание|surfing=сёрфинг|skiing=лыжи|snowboard=сноуборд|skateboard=скейтборд|climbing=скалолазание
running=бег|jumping=прыжок|sitting=сидит|walking=прогулка|playing=игра|sleeping=спит|eating=ест|reading=читает|working=работа|race=гонка
red=красный|orange=оранжевый|yellow=жёлтый|green=зелёный|blue=синий|purple=фиолетовый|pink=розовый|white=белый|black=чёрный|brown=коричневый
black and white=чёрно-белое фото|close-up=крупный план|aerial view=вид сверху|drawing=рисунок|painting=картина|text=текст|map=карта|screenshot=снимок экрана|document=документ|graffiti=граффити
indoors=в помещении|outdoors=на улице|dark=темно|bright light=яркий свет|blurred=размыто|empty=пусто|old photo=старая фотография|toys=игрушки|wood=дерево|stone=камень
`
  .trim()
  .split(/[|\n]/)
  .map((pair) => {
    const [en = "", ru = ""] = pair.split("=");
    return { en, ru };
  });
