"""What a sender surely meant by a value that is not in a vocabulary; where that is not sure, nothing is suggested."""

from collections.abc import Iterable

# ISO 3166-1: alpha-2 and alpha-3 of all that are assigned; then of those withdrawn (ISO 3166-3). `CS` was two states.
ASSIGNED = (
    "ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH "
    "BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT "
    "BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB "
    "CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP "
    "ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB "
    "GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL "
    "ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM "
    "KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY "
    "MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT "
    "MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU "
    "NZNZL OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT "
    "REREU ROROU RSSRB RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR "
    "SNSEN SOSOM SRSUR SSSSD STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS "
    "TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN "
    "VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE "
)
WITHDRAWN = (
    "ANANT BUBUR CTCTE DDDDR DYDHY FXFXX HVHVO JTJTN MIMID NHNHB NQATN NTNTZ PCPCI PUPUS PZPCZ RHRHO SUSUN "
    "TPTMP VDVDR WKWAK YDYMD YUYUG ZRZAR "
)
COUNTRIES = {pair[:2]: pair[2:] for pair in (WITHDRAWN + ASSIGNED).split()} | {
    "UK": "GBR",
    "EL": "GRC",
    "EU": "EUE",
    "UN": "UNO",
    "XK": "RKS",
    "XKX": "RKS",
    "ROM": "ROU",
}
"""The alpha-3 code of each alpha-2 code, and of codes in use that ISO does not assign; Romania's of before 2002."""
LONG = 6
"""Letters of a word in which one slip leaves no doubt what was meant: among shorter ones each is near another."""
LONGEST = 200
"""No vocabulary has longer words."""


def nearest(value: object, known: Iterable[object]) -> str | None:
    """Return the known value that was surely meant: only letters' case or marks between words differ, or one letter.

    A two-letter country code is looked up. Where two values would do, none was surely meant.
    """
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        return None
    words = [str(one) for one in known if one is not None]
    if (code := COUNTRIES.get(value.upper())) and code in words:
        return code
    meant = _plain(value)
    same = [word for word in words if _plain(word) == meant]
    alike = same or [word for word in words if len(meant) >= LONG and _one_slip(_plain(word), meant)]
    return alike[0] if len(alike) == 1 else None


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


def _one_slip(one: str, other: str) -> bool:
    """Say whether one letter is missing, too many or another, or two neighbours are exchanged."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    least = min(len(one), len(other))
    start = next((n for n in range(least) if one[n] != other[n]), least)
    rest, others = one[start:], other[start:]
    if len(one) != len(other):
        return rest[1:] == others or rest == others[1:]
    return rest[1:] == others[1:] or (rest[:2] == others[1::-1] and rest[2:] == others[2:])
