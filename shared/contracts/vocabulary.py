"""Closed lists of values, with their sources; what the sources leave open is a pattern here, never a list.

Spellings of the standards are kept (HTCDS, TLP, CTDC, ICAO, ISO); our own values are lower-case tokens.
Sources and licences: docs/ATTRIBUTION.md.
"""

from typing import Annotated, Literal, TypeAlias, TypeVar, get_args

from msgspec import Meta

from shared.contracts.bounds import END, PSEUDONYM, WORD, one_of, shaped

# fmt: off

# --- Who and where -----------------------------------------------------------------------------------------------
# ISO 3166-1 alpha-3. The eleven members of the Regional Conference on Migration.
Country = Literal["BLZ", "CAN", "CRI", "DOM", "SLV", "GTM", "HND", "MEX", "NIC", "PAN", "USA"]
# The technical and the virtual secretariat may have keys of their own, and the operator reports what keeps the region
# running; what they report belongs to the region.
Secretariat = Literal["ST", "SV"]
SECRETARIATS: tuple[Secretariat, ...] = ("ST", "SV")
OPERATING: Literal["OPERATOR"] = "OPERATOR"
Addressee: TypeAlias = Literal[Country, "REG"]
MEMBERS: tuple[Country, ...] = ("BLZ", "CAN", "CRI", "DOM", "SLV", "GTM", "HND", "MEX", "NIC", "PAN", "USA")
REGION: Literal["REG"] = "REG"

# Every ISO 3166-1 alpha-3 code: routes begin, and people come from, outside the region too.
State = Literal[
    "ABW", "AFG", "AGO", "AIA", "ALA", "ALB", "AND", "ARE", "ARG", "ARM", "ASM", "ATA", "ATF", "ATG", "AUS", "AUT",
    "AZE", "BDI", "BEL", "BEN", "BES", "BFA", "BGD", "BGR", "BHR", "BHS", "BIH", "BLM", "BLR", "BLZ", "BMU", "BOL",
    "BRA", "BRB", "BRN", "BTN", "BVT", "BWA", "CAF", "CAN", "CCK", "CHE", "CHL", "CHN", "CIV", "CMR", "COD", "COG",
    "COK", "COL", "COM", "CPV", "CRI", "CUB", "CUW", "CXR", "CYM", "CYP", "CZE", "DEU", "DJI", "DMA", "DNK", "DOM",
    "DZA", "ECU", "EGY", "ERI", "ESH", "ESP", "EST", "ETH", "FIN", "FJI", "FLK", "FRA", "FRO", "FSM", "GAB", "GBR",
    "GEO", "GGY", "GHA", "GIB", "GIN", "GLP", "GMB", "GNB", "GNQ", "GRC", "GRD", "GRL", "GTM", "GUF", "GUM", "GUY",
    "HKG", "HMD", "HND", "HRV", "HTI", "HUN", "IDN", "IMN", "IND", "IOT", "IRL", "IRN", "IRQ", "ISL", "ISR", "ITA",
    "JAM", "JEY", "JOR", "JPN", "KAZ", "KEN", "KGZ", "KHM", "KIR", "KNA", "KOR", "KWT", "LAO", "LBN", "LBR", "LBY",
    "LCA", "LIE", "LKA", "LSO", "LTU", "LUX", "LVA", "MAC", "MAF", "MAR", "MCO", "MDA", "MDG", "MDV", "MEX", "MHL",
    "MKD", "MLI", "MLT", "MMR", "MNE", "MNG", "MNP", "MOZ", "MRT", "MSR", "MTQ", "MUS", "MWI", "MYS", "MYT", "NAM",
    "NCL", "NER", "NFK", "NGA", "NIC", "NIU", "NLD", "NOR", "NPL", "NRU", "NZL", "OMN", "PAK", "PAN", "PCN", "PER",
    "PHL", "PLW", "PNG", "POL", "PRI", "PRK", "PRT", "PRY", "PSE", "PYF", "QAT", "REU", "ROU", "RUS", "RWA", "SAU",
    "SDN", "SEN", "SGP", "SGS", "SHN", "SJM", "SLB", "SLE", "SLV", "SMR", "SOM", "SPM", "SRB", "SSD", "STP", "SUR",
    "SVK", "SVN", "SWE", "SWZ", "SXM", "SYC", "SYR", "TCA", "TCD", "TGO", "THA", "TJK", "TKL", "TKM", "TLS", "TON",
    "TTO", "TUN", "TUR", "TUV", "TWN", "TZA", "UGA", "UKR", "UMI", "URY", "USA", "UZB", "VAT", "VCT", "VEN", "VGB",
    "VIR", "VNM", "VUT", "WLF", "WSM", "YEM", "ZAF", "ZMB", "ZWE",
]
# ISO 3166-3: states and territories that are gone; their passports and people are not.
Gone = Literal[
    "AFI", "ANT", "ATB", "ATN", "BUR", "BYS", "CSK", "CTE", "DDR", "DHY", "FXX", "GEL", "HVO", "JTN", "MID", "NHB",
    "NTZ", "PCI", "PCZ", "PUS", "RHO", "SCG", "SKM", "SUN", "TMP", "VDR", "WAK", "YMD", "YUG", "ZAR",
]
# ICAO Doc 9303-3 section 5: Germany's letter and Kosovo; kinds of British nationals; persons without a nationality
# (stateless, refugee of the 1951 Convention, other refugee, unspecified); organisations that issue documents.
IcaoCode = Literal[
    "D", "RKS", "GBD", "GBN", "GBO", "GBP", "GBS", "XXA", "XXB", "XXC", "XXX",
    "EUE", "UNO", "UNA", "UNK", "XBA", "XCC", "XCE", "XCO", "XDC", "XEC", "XES", "XIM", "XMP", "XOM", "XPO",
]
Nationality: TypeAlias = Literal[State, Gone, IcaoCode]
# Who issued a document: the same codes, as its machine-readable zone has them.
Issuer: TypeAlias = Nationality

# The kind of organisation a report comes from: HTCDS organisation types, split as the Plan's work is divided.
Organisation = Literal[
    "immigration",                                                    # ImmigrationService
    "police", "customs", "border_guard", "coast_guard", "joint_task_force",   # LawEnforcement
    "prosecution", "court", "legal_service", "forensic_laboratory",   # LegalService, Prosecution, Court
    "consulate", "foreign_ministry", "interior_ministry", "labour_inspection", "civil_registry", "child_welfare",
    "central_government", "local_government", "legislature",          # Central-, LocalGovernmentOrganisation
    "health_service", "school", "ngo", "shelter", "hotline", "corporate_business", "carrier",
    "international_organisation",
]
# The Plan's own bodies: presidency pro tempore, technical secretariat, virtual secretariat, migration
# responsibility unit (the Plan's 4.1.1), regional school (5.1.1) and those of its activities.
# Of some there is one in the region (`Seat`). Every country has its own of the others: the unit, the national
# commissions (the Plan's IE 1.3) and the intersectoral commission ("cada Estado", VA 5.2).
Body = Literal[
    "ppt", "st", "sv", "liaison_network", "joint_task_force", "national_commission", "technical_group",
    "intersectoral_commission", "mru", "regional_school", "iom",
]
Reporter: TypeAlias = Literal[Organisation, Body]
# The bodies that there is one of in the region: who speaks for each, and from when on, stands in the table of seats.
Seat = Literal[
    "ppt", "st", "sv", "technical_group", "liaison_network", "joint_task_force", "regional_school", "iom",
]
SEATS: tuple[Seat, ...] = get_args(Seat)
Holder: TypeAlias = Literal[Country, Secretariat]
SeatReason = Literal["rotation", "appointment", "correction", "other"]
KeyReason = Literal["lost", "stolen", "replaced", "other"]
"""Why a country revokes a key with which its reports were signed."""
Reader = Literal["operator"]
"""Who looks at what is not published."""
PurgeReason = Literal["flood", "rubbish", "test_data", "stolen_key", "agreed"]
"""Why operators emptied a sender's intake; `agreed`: the sender asked for it."""

# --- Offences, people --------------------------------------------------------------------------------------------
# Short names; `other` is anything else. `ICCS` gives the UNODC classification's codes.
Offence = Literal["tip", "som", "doc_fraud", "corruption", "other"]
ICCS: dict[str, str] = {"tip": "0204", "som": "08051", "doc_fraud": "07023", "corruption": "0703"}
Sex = Literal["female", "male", "other", "unknown"]
AgeBand = Literal["minor", "adult", "unknown"]
# HTCDS perpetrator roles, with three that the Plan's activity 1.2.3 needs (leader, corrupt official, forger).
TraffickerRole = Literal[
    "TravellingPartner", "Transporter", "RecruiterOrIntermediary", "BrokerTravelAgent", "TransferredIndividual",
    "HarbouredIndividual", "SoldIndividual", "BoughtIndividual", "ReceivedIndividual", "ControlledIndividual",
    "Smuggler", "Abuser", "Kidnapper", "Exploiter", "Other", "Leader", "CorruptOfficial", "DocumentForger",
]

# --- Victims -----------------------------------------------------------------------------------------------------
# HTCDS trafficking status; the last is the Plan's own: a smuggled migrant who comes to harm on the way.
VictimStatus = Literal[
    "PossibleVictimOfTrafficking", "ActualVictimOfTrafficking", "NotAVictimOfTrafficking", "SmuggledMigrantHarmed",
]
DecidedBy = Literal["Police", "NGO", "CourtOrProsecution", "NonPoliceGovernmentalOrganization", "Other"]
# Palermo Protocol art. 3 (a): act, means, purpose of trafficking in persons.
Act = Literal["recruitment", "transportation", "transfer", "harbouring", "receipt"]
Means = Literal[
    "threat", "force", "coercion", "abduction", "fraud", "deception", "abuse_of_power", "abuse_of_vulnerability",
    "payments_or_benefits",
]
Purpose = Literal[
    "prostitution_of_others", "sexual_exploitation", "forced_labour", "slavery", "practices_similar_to_slavery",
    "servitude", "organ_removal", "other",
]
# HTCDS type of exploitation, with ForcedCriminality.
Exploitation = Literal[
    "ForcedLabour", "SexualExploitation", "ChildLabour", "ForcedMarriage", "Servitude",
    "ForcedMilitaryByNonStateActors", "OrganRemoval", "ForcedBegging", "ForcedAdoption", "Surrogacy", "Other",
    "ForcedCriminality",
]
# HTCDS methods of control, with the two that its definitions have and its picklist lacks.
Control = Literal[
    "PhysicalThreats", "ThreatsLawEnforcement", "ThreatensChildrenFamily", "DebtBondage", "FalsePromises",
    "PhysicalAbuse", "SexualAbuse", "TakesEarnings", "RestrictsFinancialAccess", "RestrictsMedicalCare",
    "WithholdsNecessities", "PsychologicalAbuse", "PsychoactiveSubstance", "ExcessiveWorkingHours",
    "WithholdsDocuments", "Other", "RestrictsMovement", "UsesChildren",
]
# HTCDS method of recruitment.
Recruitment = Literal[
    "AtAPlaceOfBusiness", "AtAnEducationalInstitution", "AtWork", "ThroughOnlineSocialNetworks",
    "ThroughAnOnlineAdvertisement", "ThroughATelevisionAdvert", "ThroughANewspaperAdvert",
    "ThroughFamilyOrFamilyEvents", "ThroughFriendsOrSocialEvents", "Other",
]
# CTDC `traffickMonths`.
DurationBand = Literal["0--12", "13--24", "25+"]
# The Plan's 3.1.1; and NIEM's groups of who identified the victim.
Mechanism = Literal["documentation", "statement", "diplomatic_representation", "other"]
IdentifiedBy = Literal[
    "law_enforcement", "immigration", "consulate", "prosecutor", "child_welfare", "health", "ngo", "education",
    "employer", "family_or_friend", "self", "hotline",
]
# The Plan's 4.1 (lower case) and the HTCDS support plan.
Service = Literal[
    "medical", "hospital", "food", "shelter", "repatriation_transport", "communication", "other", "Education",
    "Financial", "Health", "LabourExploitationRehabilitation", "Legal", "Livelihood", "RightsBasedTraining",
    "SexualExploitationRehabilitation", "SocialCare",
]
# HTCDS referral reasons, with two of the Plan's.
ReferralReason = Literal[
    "AdditionalServicesRequired", "MigrationOrChangeOfLocation", "Other", "Repatriation", "WitnessProtection",
]
Urgency = Literal["child", "danger", "standard"]
ReferralRefusal = Literal["no_capacity", "not_competent", "incomplete", "not_found", "duplicate", "other"]
ReferralRevocation = Literal["consent_withdrawn", "moved_on", "mistaken", "resolved", "deceased", "other"]
EscalationReason = Literal["unanswered", "not_enrolled"]
OverrideReason = Literal["child", "danger_to_life", "incapacity", "court_order"]

# HTCDS gender; CTDC age bands; a victim's death makes victims of its next of kin (the Plan's definition).
Gender = Literal[
    "Feminine", "Masculine", "TransgenderFeminine", "TransgenderMasculine", "NonConforming", "NonSpecifiedUnknown",
]
AgeBroad = Literal["0--8", "9--17", "18--20", "21--23", "24--26", "27--29", "30--38", "39--47", "48+"]
Relation = Literal["parent", "child", "grandparent", "grandchild", "spouse"]
# The Plan's definition of a víctima de tráfico: "un daño físico, moral, patrimonial o de cualquier otra índole".
Harm = Literal["physical", "moral", "patrimonial", "other"]
DefinedCrime = Literal["tip", "som"]
Complainant = Literal["potential_victim", "relative", "public", "ngo"]
Channel = Literal["hotline", "in_person", "online", "letter", "consulate", "other"]
ConsentScope = Literal["data", "services", "referral", "research"]
StatusOutcome = Literal["regularised", "repatriated", "asylum", "other"]
ServiceRefusal = Literal["no_capacity", "not_eligible", "victim_declined", "other"]
RepatriationFailure = Literal["victim_declined", "risk", "documents", "receiving_country", "logistics", "other"]
EvaluationSubject = Literal["repatriation", "service"]
Evaluator = Literal["victim", "ngo", "country"]
CampaignChannel = Literal["radio", "television", "press", "online", "social_networks", "posters", "in_person", "other"]

# --- Documents, routes, operations -------------------------------------------------------------------------------
# ICAO Doc 9303 document codes: P*, and cards A*, C*, I* and visas V* whose second letter each State chooses;
# then papers that Doc 9303 does not cover.
DocCode = Literal[
    "P", "PP", "PE", "PD", "PO", "PR", "PT", "PS", "PL", "PM", "PU",
    "A", "AA", "AB", "AC", "AD", "AE", "AF", "AG", "AH", "AI", "AJ", "AK", "AL", "AM", "AN", "AO", "AP", "AQ", "AR",
    "AS", "AT", "AU", "AW", "AX", "AY", "AZ",
    "C", "CA", "CB", "CC", "CD", "CE", "CF", "CG", "CH", "CI", "CJ", "CK", "CL", "CM", "CN", "CO", "CP", "CQ", "CR",
    "CS", "CT", "CU", "CW", "CX", "CY", "CZ",
    "I", "IA", "IB", "IC", "ID", "IE", "IF", "IG", "IH", "II", "IJ", "IK", "IL", "IM", "IN", "IO", "IP", "IQ", "IR",
    "IS", "IT", "IU", "IW", "IX", "IY", "IZ",
    "V", "VA", "VB", "VC", "VD", "VE", "VF", "VG", "VH", "VI", "VJ", "VK", "VL", "VM", "VN", "VO", "VP", "VQ", "VR",
    "VS", "VT", "VU", "VV", "VW", "VX", "VY", "VZ",
    "birth_certificate", "residence_permit", "entry_stamp", "border_crossing_card", "drivers_licence", "work_permit",
]
# Open: the terms in use (FADO) could not be confirmed. These are the known ones, for suggestions and labels.
FRAUD_TYPES = (
    "counterfeit", "photo_substitution", "data_alteration", "page_substitution", "fraudulently_obtained_genuine",
    "impostor", "stolen_blank", "pseudo", "genuine_revoked",
)
DetectedBy = Literal["first_line", "second_line", "forensic", "automated_gate", "carrier", "consulate", "police"]
SpecimenTier = Literal["expert", "officer", "public"]
# MISP transport modes and the Plan's "tierra, mar y aire"; HTCDS points of a route, with three more.
Mode = Literal["land_foot", "land_vehicle", "train", "bus", "taxi", "truck", "plane", "ferry", "boat", "other"]
PointKind = Literal[
    "Recruitment", "Transit", "Exploitation", "BorderCrossingPoint", "BetweenBCPs", "SafeHouse",
]
PhonebookMedia = Literal["book", "phone", "sim", "other"]
OperationKind = Literal["ordinary", "extraordinary"]
BandScope = Literal["local", "regional"]

ListStatus = Literal["stolen", "lost", "revoked", "invalid", "stolen_blank"]
# Open, like the types of forgery. These are the known ways in which smugglers and traffickers work, for labels.
MODALITIES = (
    "false_documents", "false_tour_group", "guided_crossing", "hidden_in_vehicle", "sea_landing", "air_transit",
    "false_job_offer", "false_marriage", "abduction", "corrupt_official", "overstay",
)
# Smuggling Protocol art. 10 (1) (a) to (f): what States exchange.
InfoClass = Literal["routes", "groups", "travel_documents", "concealment", "legislation", "technology"]
ExchangeKind = Literal["statistical", "operational", "tactical"]
ExchangeRefusal = Literal["not_competent", "not_lawful", "not_found", "incomplete", "other"]
# The Plan's 1.2: what the regional database is to hold; PC 1.1.4; PC 1 and Frontex FRAN for the figures.
Dataset = Literal["entry_rules", "modalities", "routes", "traffickers"]
ActionStage = Literal["review", "evaluation", "supervision", "strengthening", "improvement"]
ControlStat = Literal["inspections", "refusals", "facilitators", "illegal_stay", "clandestine", "returns"]
# STIX 2.1 attack-resource-level-ov.
ResourceLevel = Literal["individual", "club", "contest", "team", "organization", "government"]

# --- Sharing -----------------------------------------------------------------------------------------------------
# TLP 2.0 (FIRST); Europol handling codes and 4x4 grading of source and information.
Tlp = Literal["red", "amber+strict", "amber", "green", "clear"]
Handling = Literal["H0", "H1", "H2", "H3"]
SourceGrade = Literal["A", "B", "C", "X"]
InformationGrade = Literal["1", "2", "3", "4"]

# --- Law ---------------------------------------------------------------------------------------------------------
# UN Treaty Collection XVIII-12, -12-a, -12-b.
Instrument = Literal["UNTOC", "TIP", "SOM"]
CaseOutcome = Literal["convicted", "acquitted", "dismissed", "other"]
RiskLevel = Literal["low", "medium", "high", "extreme"]
ReviewTask = Literal["review", "document_care"]

TreatyAction = Literal[
    "signature", "ratification", "acceptance", "approval", "accession", "succession", "reservation", "withdrawal",
]
Degree = Literal["full", "partial", "none"]
Direction = Literal["up", "down", "flat"]
ProtectionEnd = Literal["case_resolved", "witness_declined", "risk_ended", "deceased", "other"]
EntryAnswer = Literal["authorisation_required", "no_authorisation_required", "unknown"]

# --- Training ----------------------------------------------------------------------------------------------------
# The Plan's thirteen topics (2.1.1), its five values, and the land-border course (IE 3.1.1).
Topic = Literal[
    "human_rights", "international_conventions", "national_security", "regional_security", "human_relations",
    "victim_treatment_coordination", "false_document_detection", "source_country_context", "technology_tools",
    "english", "state_repercussions", "returnee_assistance", "crm_member_policies",
    "ethics", "honesty", "loyalty", "morals", "responsibility",
    "land_border_control",
]
InstitutionType = Literal["migration", "other"]
Priority = Literal["low", "normal", "high"]
StaleReason = Literal["expiry", "law_amended", "new_fraud", "conduct"]

CoursePlace = Literal["bcp", "mobile", "online", "school"]
SurveyPhase = Literal["before", "after"]
# The Plan's 2.1.1: five values and four measures that are not training.
Tool = Literal[
    "ethics", "honesty", "loyalty", "morals", "responsibility",
    "salary_improvement", "migration_career", "social_benefits", "performance_recognition",
]
# Of laws: whom their provisions protect especially (the Plan's LE objective 1: "mujeres, niños y niñas").
Vulnerable = Literal["women", "children"]
Subsystem = Literal["integrity", "professionalisation"]
# ICCS 07031 to 07034, and abuse of migrants.
ComplaintCategory = Literal[
    "bribery", "embezzlement", "abuse_of_function", "trading_in_influence", "abuse", "other",
]
ComplaintSource = Literal["migrant", "public", "official"]
ComplaintOutcome = Literal["substantiated", "unfounded"]
ResourceKind = Literal["money", "staff", "venue", "technical"]
# The Plan's Cuadro 2, as it is spelled there.
Rating = Literal["excelente", "bueno", "regular", "deficiente", "no_contesto"]
Aspect = Literal[
    "organización", "logística", "presentaciones", "facilitadores", "metodología", "resultados",
    "material_de_apoyo",
]

# --- Every report ------------------------------------------------------------------------------------------------
RetractionReason = Literal["mistaken", "duplicate", "unlawful", "other"]

# fmt: on

# --- Open values: their form is fixed, their list is not ---------------------------------------------------------
Token = Annotated[str, Meta(max_length=64, pattern=rf"^[a-z][a-z0-9_]*{END}"), WORD]
"""A lower-case word of a vocabulary that is not closed yet."""
FraudType = Annotated[
    str,
    Meta(max_length=64, pattern=rf"^[a-z][a-z0-9_]*{END}", examples=list(FRAUD_TYPES)),
    WORD,
]
Industry = Annotated[str, Meta(max_length=80, pattern=rf"^[A-U]_[A-Za-z]+{END}")]
"""A section of ISIC revision 4 as HTCDS spells it: `A_AgricultureForestryAndFishing`."""
Geohash = Annotated[str, Meta(max_length=4, pattern=rf"^[0-9b-hjkmnp-z]{{1,4}}{END}")]
"""At most four characters: some 20 km, so that no house can be told from it."""
DataRef = Annotated[
    str,
    Meta(max_length=200, pattern=rf"^urn:[a-z0-9][a-z0-9-]{{0,31}}:[A-Za-z0-9._:/-]+{END}"),
    shaped(rf"^urn:crm:vault:({'|'.join(MEMBERS)}):[A-Za-z0-9._:/-]+{END}", PSEUDONYM),
]
"""A claim check (CloudEvents `dataref`): the sending country's vault answers to it, for those who may ask."""
Language = Annotated[str, Meta(pattern=rf"^[a-z]{{2,3}}{END}")]
"""ISO 639."""
Url = Annotated[str, Meta(max_length=300, pattern=rf"^https?://[!-~]+{END}")]
# ISO 4217: what is or was a state's money since 2000 (CLDR), and the IMF's; no funds, metals, codes for tests.
CURRENCIES = (
    "ADP AED AFA AFN ALL AMD ANG AOA ARS ATS AUD AWG AZM AZN BAM BBD BDT BEF BGN BHD BIF BMD BND BOB BRL BSD BTN "
    "BWP BYN BYR BZD CAD CDF CHF CLP CNY COP CRC CSD CUC CUP CVE CYP CZK DEM DJF DKK DOP DZD ECS EEK EGP ERN ESP "
    "ETB EUR FIM FJD FKP FRF GBP GEL GHC GHS GIP GMD GNF GRD GTQ GYD HKD HNL HRK HTG HUF IDR IEP ILS INR IQD ISK "
    "ITL JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LUF LVL LYD MAD MDL MGA MGF MKD "
    "MMK MNT MOP MRO MRU MTL MUR MVR MWK MXN MYR MZM MZN NAD NGN NIO NLG NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN "
    "PTE PYG QAR ROL RON RSD RUB RWF SAR SBD SCR SDD SDG SEK SGD SHP SIT SKK SLE SLL SOS SRD SRG SSP STD STN SVC "
    "SYP SZL THB TJR TJS TMM TMT TND TOP TPE TRL TRY TTD TWD TZS UAH UGX USD UYU UZS VEB VED VEF VES VND VUV WST "
    "XAF XCD XCG XDR XOF XPF YER YUM ZAR ZMK ZMW ZWD ZWG ZWL ZWR"
)
Currency = Annotated[str, Meta(pattern=rf"^[A-Z]{{3}}{END}"), one_of(CURRENCIES.split())]
"""ISO 4217."""

T = TypeVar("T")
Listed = Annotated[tuple[T, ...], Meta(max_length=64)]
OneOrMore = Annotated[tuple[T, ...], Meta(min_length=1, max_length=64)]
