package words

// doctorPhrases are said by the server alone: they would only make the
// browser's program larger.
var doctorPhrases map[string]phrase
