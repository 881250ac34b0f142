"""Names of clips, and when each says that it was filmed."""

from datetime import date, datetime

from dashredact.media.capture_time import CaptureTime, Doubt, Evidence, Span

DAY = date(2026, 4, 12)
_AT = datetime(2026, 4, 12, 8, 15, 2)
_ALL_DAY = Span(datetime(2026, 4, 12), datetime(2026, 4, 12, 23, 59, 59, 999999))

EXACT = CaptureTime(Evidence.NAME, DAY, Span(_AT, _AT))
DAY_ONLY = CaptureTime(Evidence.NAME, DAY, _ALL_DAY, Doubt.DAY_ONLY)
FOLDER = CaptureTime(Evidence.FOLDER, DAY, _ALL_DAY, Doubt.DAY_ONLY)
SEVERAL = CaptureTime(Evidence.NAME, doubt=Doubt.SEVERAL_DAYS)
SEVERAL_FOLDERS = CaptureTime(Evidence.FOLDER, doubt=Doubt.SEVERAL_DAYS)
NOTHING = CaptureTime()

NAMES = {
    # a day and a time to the second
    "front-20260412-081502.mp4": EXACT,
    "2026_0412_081502_001F.MP4": EXACT,
    "20260412081502.mp4": EXACT,
    "20260412T081502Z.mp4": EXACT,
    "REC_2026_04_12_08_15_02_F.MP4": EXACT,
    "2026-04-12 08-15-02.mp4": EXACT,
    "2026-04-12 08h15m02.mp4": EXACT,
    "20260412_081502_20260412_081502.mp4": EXACT,
    "20260101/front-20260412-081502.mp4": EXACT,
    # a day alone
    "20260412.mp4": DAY_ONLY,
    "front-20260412.mp4": DAY_ONLY,
    "2026-04-12.mp4": DAY_ONLY,
    "2026_04_12.mp4": DAY_ONLY,
    "2026.04.12.mp4": DAY_ONLY,
    "2026_0412.mp4": DAY_ONLY,
    "ドラレコ20260412前.mp4": DAY_ONLY,
    "20260412-20260412.mp4": DAY_ONLY,
    "sub/20250101/front-20260412.mp4": DAY_ONLY,
    "cam2012-2026-04-12.mp4": DAY_ONLY,
    # a time without seconds may as well be a running number; what is no time is one
    "202604120815.mp4": DAY_ONLY,
    "20260412_0815.mp4": DAY_ONLY,
    "20260412_001.mp4": DAY_ONLY,
    "20260412-13.mp4": DAY_ONLY,
    "20260412_991502.mp4": DAY_ONLY,
    "20260412_20261399.mp4": DAY_ONLY,
    "20260412_081502123.mp4": DAY_ONLY,
    # folders, where the file says nothing
    "2026-04-12/front.mp4": FOLDER,
    "20260412/front-1.mp4": FOLDER,
    "20260412/cam/2026_0412_trip/0001.mp4": FOLDER,
    "20260412_081502/0003.mp4": FOLDER,
    # several days
    "20260412_20260413.mp4": SEVERAL,
    "2026-0412-2026-0413.mp4": SEVERAL,
    "2026-04-12_2026-04-13.mp4": SEVERAL,
    "20260412_2026-04-13.mp4": SEVERAL,
    "20260412235900-20260413000100.mp4": SEVERAL,
    "2026-04-20120506.mp4": SEVERAL,
    "2026-04-12/20260412_20260413.mp4": SEVERAL,
    "20260412_20260413/front.mp4": SEVERAL_FOLDERS,
    "2026-05-01/2026-04-12/front.mp4": SEVERAL_FOLDERS,
    # numbers, and days that are written in no known form
    "front-1.mp4": NOTHING,
    "20261301.mp4": NOTHING,
    "20260230.mp4": NOTHING,
    "20261399.mp4": NOTHING,
    "260412_0815.mp4": NOTHING,
    "12-04-2026.mp4": NOTHING,
    "19990412.mp4": NOTHING,
    "120260412.mp4": NOTHING,
    "202604121.mp4": NOTHING,
    "2026041208.mp4": NOTHING,
    "2026041208150.mp4": NOTHING,
    "202604129915.mp4": NOTHING,
    "20260412991502.mp4": NOTHING,
    "20260412081502123.mp4": NOTHING,
    "2026-04_12.mp4": NOTHING,
    "202604-12.mp4": NOTHING,
    "２０２６０４１２.mp4": NOTHING,
    "": NOTHING,
    "/": NOTHING,
}
